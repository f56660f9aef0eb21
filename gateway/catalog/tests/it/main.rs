//! Tests of the catalog through its public seams.

mod memory;
