//! Real clients, each as its users run it. A client that is not installed is a failure.

mod acme;
mod aws_cli;
mod generated;
mod prometheus;
mod rclone;
mod restic;
mod rust_sdk;
mod rust_sdk_walks;
mod s3cmd;
mod s5cmd;
mod scripts;
mod terraform;
mod trees;
