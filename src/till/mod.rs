//! The window: cashier, customer's display, takings.
