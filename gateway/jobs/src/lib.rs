//! cofre-jobs
