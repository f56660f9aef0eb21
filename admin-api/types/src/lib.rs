//! cofre-admin-types
