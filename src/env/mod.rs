//! Environments: what they may hold, and how one is made active and left. Pure.

pub mod activation;
pub mod rules;
