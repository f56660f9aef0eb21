//! cofre-iam
