//! cofre-events
