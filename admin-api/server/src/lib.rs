//! cofre-admin-server
