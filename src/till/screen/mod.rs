//! The screens. Each has its state, its messages, `update` and `view`; what it asks of the program is an action.

pub mod accounts;
pub mod cashier;
pub mod customer;
pub mod help;
pub mod phone;
pub mod refund;
pub mod sales;
pub mod scanner;
pub mod settings;
pub mod sign_in;
pub mod story;
pub mod takings;
