//! cofre-admin-client
