//! cofre-objects
