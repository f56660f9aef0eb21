//! cofre-settings
