//! Payload text to code modules, and modules to SVG and PNG. Pure.
