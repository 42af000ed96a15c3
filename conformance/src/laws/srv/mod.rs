//! Servers: what a server has acknowledged survives its kill, and a failover to another node.

mod failover;
mod killed;
mod load;

pub(crate) use self::failover::{
    srv_02_acknowledged_rows_survive_a_failover, srv_03_reads_do_not_go_backwards_at_a_failover,
    srv_04_progress_returns_after_a_failover,
};
pub(crate) use self::killed::srv_01_acknowledged_rows_survive_a_kill_of_the_server;
