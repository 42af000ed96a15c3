//! A toy of several nodes: a leader that copies each row to the others, another that takes over, and faults in that.

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, checkpoint_store};
use crashpoint_conformance::{BoxError, Harness, Hook, Options, Place};

use super::gap::give_way;
use super::{Loaded, Runs, quick};

/// How the nodes agree. The defaults have no fault.
pub(crate) trait Agreement: Send + Sync + 'static {
    /// The rows that a follower is behind when the leader acknowledges.
    const LAG: usize = 0;
    /// Loads that a new leader answers before it has applied what it was sent last.
    const STALE_LOADS: u32 = 0;
    /// Whether another node becomes the leader.
    const ELECTS: bool = true;
    /// Whether an append whose answer is lost is told as one that wrote nothing.
    const DENIES: bool = false;
}

/// Ways to agree, each with its one fault.
macro_rules! agreements {
    ($($(#[$doc:meta])* $name:ident: $($constant:ident = $value:expr)?;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Agreement for $name {
            $(agreements! { @ $constant $value })?
        }
    )*};
    (@ LAG $value:expr) => { const LAG: usize = $value; };
    (@ STALE_LOADS $value:expr) => { const STALE_LOADS: u32 = $value; };
    (@ ELECTS $value:expr) => { const ELECTS: bool = $value; };
    (@ DENIES $value:expr) => { const DENIES: bool = $value; };
}

agreements! {
    /// No fault: the control.
    Everywhere: ;
    /// A row is acknowledged before any other node has it.
    AtTheLeader: LAG = 4;
    /// A new leader answers loads before it has caught up with itself.
    StaleAtFirst: STALE_LOADS = 8;
    /// Nobody takes over.
    NobodyElse: ELECTS = false;
    /// `Unavailable` for a row that was sent.
    Denies: DENIES = true;
}

/// A request to change the rows, as nodes send it to each other.
#[derive(Clone)]
enum Change {
    Append(String, CheckpointRow),
    Clear(String),
}

fn apply(runs: &mut Runs, change: Change) {
    match change {
        Change::Append(id, row) => runs.put(&id, row),
        Change::Clear(id) => runs.clear(&id),
    }
}

#[derive(Default)]
struct Node {
    runs: Runs,
    /// What it was sent and has not applied.
    pending: VecDeque<Change>,
    is_down: bool,
}

impl Node {
    fn catch_up(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.runs, change);
        }
    }
}

const NODES: usize = 3;
/// Requests that are refused until a leader is elected.
const ELECTION: u32 = 6;
/// What a follower has received and not applied.
const UNAPPLIED: usize = 8;

#[derive(Default)]
struct Cluster {
    nodes: [Node; NODES],
    leader: usize,
    /// Counts leaders.
    term: u64,
    /// Requests that are still refused.
    election: u32,
    stale_loads: u32,
    /// Changes that followers are still to be sent.
    unsent: VecDeque<Change>,
    /// Appends whose answers are under way.
    under_way: usize,
}

impl Cluster {
    /// The leader, if there is one by now.
    fn leader<A: Agreement>(&mut self) -> Result<&mut Node, Error> {
        if self.nodes[self.leader].is_down {
            self.election = self.election.saturating_sub(1);
            if self.election > 0 || !A::ELECTS {
                return Err(Error::unavailable("there is no leader"));
            }
            let up = (0..NODES).find(|node| !self.nodes[*node].is_down);
            self.leader = up.ok_or_else(|| Error::unavailable("every node is down"))?;
            self.term += 1;
            self.unsent.clear();
            self.stale_loads = A::STALE_LOADS;
        }
        if self.stale_loads == 0 {
            self.nodes[self.leader].catch_up();
        }
        Ok(&mut self.nodes[self.leader])
    }

    /// Sends what is due to the followers.
    fn send<A: Agreement>(&mut self, change: Change) {
        self.unsent.push_back(change);
        while self.unsent.len() > A::LAG {
            let Some(change) = self.unsent.pop_front() else {
                return;
            };
            let leader = self.leader;
            let others = self.nodes.iter_mut().enumerate();
            let others = others.filter(|(number, node)| *number != leader && !node.is_down);
            for (_, node) in others {
                node.pending.push_back(change.clone());
                while node.pending.len() > UNAPPLIED {
                    let first = node.pending.pop_front();
                    first
                        .into_iter()
                        .for_each(|first| apply(&mut node.runs, first));
                }
            }
        }
    }
}

type Shared = Arc<Mutex<Cluster>>;

fn clusters() -> MutexGuard<'static, BTreeMap<String, Shared>> {
    static CLUSTERS: Mutex<BTreeMap<String, Shared>> = Mutex::new(BTreeMap::new());
    CLUSTERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cluster_of(place: &Place) -> Shared {
    Arc::clone(clusters().entry(place.name().to_owned()).or_default())
}

/// Takes the leader away, if so many answers are under way. Returns whether it has.
fn stop_leader(cluster: &Mutex<Cluster>, under_way_min: usize) -> bool {
    let mut cluster = cluster.lock().unwrap_or_else(PoisonError::into_inner);
    if cluster.under_way < under_way_min {
        return false;
    }
    let leader = cluster.leader;
    cluster.nodes[leader].is_down = true;
    cluster.election = ELECTION;
    true
}

/// A store that talks to the leader.
pub(crate) struct Replicated<A> {
    cluster: Shared,
    agreement: PhantomData<fn() -> A>,
}

impl<A: Agreement> Replicated<A> {
    fn lock(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[checkpoint_store]
impl<A: Agreement> CheckpointStore for Replicated<A> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let term = {
            let mut cluster = self.lock();
            let leader = cluster.leader::<A>()?;
            if leader.runs.has(workflow_id, row.sequence) {
                return Err(Error::conflict(workflow_id, row.sequence));
            }
            if cluster.stale_loads > 0 {
                return Err(Error::unavailable("the leader catches up"));
            }
            let change = Change::Append(workflow_id.to_owned(), row);
            cluster.send::<A>(change.clone());
            let leader = cluster.leader;
            apply(&mut cluster.nodes[leader].runs, change);
            cluster.under_way += 1;
            cluster.term
        };
        // The answer is under way, and the leader may go.
        give_way().await;
        let mut cluster = self.lock();
        cluster.under_way -= 1;
        if cluster.term == term && !cluster.nodes[cluster.leader].is_down {
            return Ok(());
        }
        match A::DENIES {
            true => Err(Error::unavailable("the leader is gone")),
            false => Err(Error::unknown_outcome("the leader is gone")),
        }
    }

    async fn load_run(&self, workflow_id: &str) -> Loaded {
        let mut cluster = self.lock();
        let loaded = cluster.leader::<A>()?.runs.load(workflow_id);
        cluster.stale_loads = cluster.stale_loads.saturating_sub(1);
        Ok(loaded)
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let mut cluster = self.lock();
        cluster.leader::<A>()?.runs.clear(workflow_id);
        cluster.send::<A>(Change::Clear(workflow_id.to_owned()));
        Ok(())
    }
}

/// The harness of the store.
pub(crate) struct InNodes<A>(PhantomData<fn() -> A>);

impl<A: Agreement> Harness for InNodes<A> {
    type Store = Replicated<A>;

    async fn open(place: &Place) -> Result<Replicated<A>, BoxError> {
        Ok(Replicated {
            cluster: cluster_of(place),
            agreement: PhantomData,
        })
    }

    async fn destroy(place: &Place) -> Result<(), BoxError> {
        clusters().remove(place.name());
        Ok(())
    }

    /// Takes the leader away while an answer is under way.
    async fn stop_leader(place: &Place) -> Result<Hook, BoxError> {
        const TURNS_MAX: u32 = 100_000;
        let cluster = cluster_of(place);
        for _ in 0..TURNS_MAX {
            if stop_leader(&cluster, 1) {
                return Ok(Hook::Done);
            }
            give_way().await;
        }
        stop_leader(&cluster, 0);
        Ok(Hook::Done)
    }

    /// The node gets what the leader has.
    async fn start_node(place: &Place) -> Result<Hook, BoxError> {
        let cluster = cluster_of(place);
        let mut cluster = cluster.lock().unwrap_or_else(PoisonError::into_inner);
        let leader = cluster.leader;
        let (runs, pending) = {
            let leader = &cluster.nodes[leader];
            (leader.runs.clone(), leader.pending.clone())
        };
        for node in cluster.nodes.iter_mut().filter(|node| node.is_down) {
            (node.runs, node.pending) = (runs.clone(), pending.clone());
            node.is_down = false;
        }
        Ok(Hook::Done)
    }

    fn options() -> Options {
        let mut options = quick();
        if !A::ELECTS {
            options.failover_max = Duration::from_secs(1);
        }
        options
    }
}
