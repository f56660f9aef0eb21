//! cofre-s3
