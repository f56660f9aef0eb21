//! What no proper client sends, and what a gateway must make of it. Each test is an incident of some
//! S3 server that must not be one here.

mod authentication;
mod bodies;
mod connections;
mod crowds;
mod documents;
mod health;
mod keep_alive;
mod keys;
mod limits;
mod memory;
mod moves;
mod named_keys;
mod owners;
mod process;
mod proxies;
mod reports;
mod slow;
mod supervision;
mod tls;
mod wrong_doors;
