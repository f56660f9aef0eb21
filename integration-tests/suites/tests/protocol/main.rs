//! What no proper client sends, and what a gateway must make of it. Each test is an incident of some
//! S3 server that must not be one here.

mod authentication;
mod bodies;
mod connections;
mod keys;
mod limits;
mod moves;
mod owners;
mod process;
mod reports;
mod tls;
