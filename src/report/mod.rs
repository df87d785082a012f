//! Takings as a table, CSV, spreadsheet or page. Pure.
