//! The payment client: how the till and the commands speak to the Payment API.
