//! What was acknowledged is there, whole, whatever happens to the process and to its disks.

mod access_logs;
mod backups;
mod bit_rot;
mod catalog;
mod full_disk;
mod kill;
mod ledger;
mod node_life;
mod node_loss;
mod nodes;
mod put_back;
mod remote;
mod restored;
mod roots;
mod salvage;
mod target;
mod unreadable;
