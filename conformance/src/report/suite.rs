//! The suite of one `certify!`: its crate, claims, waivers and expected failures.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::catalogue::Law;
use crate::contract::LawId;
use crate::contract::capability::Claim;
use crate::runner::plan::Plan;

/// What a [`certify!`](crate::certify) states, and the crate that it is in.
#[derive(Debug)]
pub struct Suite {
    /// `CARGO_PKG_NAME`, if cargo builds.
    pub package: Option<&'static str>,
    /// `CARGO_PKG_VERSION`.
    pub version: Option<&'static str>,
    /// The module of the call.
    pub module: &'static str,
    /// `CARGO_TARGET_TMPDIR`, which integration tests have and unit tests don't.
    pub target_tmpdir: Option<&'static str>,
    /// `jobs: ...`.
    pub jobs: Option<NonZeroUsize>,
    /// `claims: [...]`.
    pub claims: &'static [Claim],
    /// `lacks: [...]`.
    pub lacks: &'static [Claim],
    /// `waive: [...]`.
    pub waived: &'static [(LawId, &'static str)],
    /// `expect_fail: [...]`.
    pub failing: &'static [(LawId, &'static str)],
}

impl Suite {
    pub(crate) fn plan(&self) -> Plan {
        let claims = self.claims.iter().copied();
        let mut plan = Plan::new().claims(claims).lacks(self.lacks.iter().copied());
        for (law, reason) in self.waived {
            plan = plan.waive(*law, *reason);
        }
        for (law, reason) in self.failing {
            plan = plan.expect_fail(*law, *reason);
        }
        plan
    }

    /// The arguments with which libtest runs only the test of `law`.
    pub(crate) fn arguments_again(&self, law: &Law) -> Vec<String> {
        // The first part of a module's path is its crate, which is not part of a test's name.
        let module = self.module.split_once("::").map_or("", |(_, inner)| inner);
        let separator = if module.is_empty() { "" } else { "::" };
        let test = format!("{module}{separator}{}", law.name);
        let flags = [
            "--exact",
            "--include-ignored",
            "--nocapture",
            "--test-threads=1",
        ];
        std::iter::once(test)
            .chain(flags.map(str::to_owned))
            .collect()
    }

    pub(crate) fn name(&self, harness: &str) -> Name {
        Name {
            package: self.package.map(str::to_owned),
            version: self.version.map(str::to_owned),
            module: Some(self.module.to_owned()),
            harness: harness.to_owned(),
        }
    }
}

/// The name of a suite.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name {
    /// The package of the tests, if known.
    pub package: Option<String>,
    /// The version of that package.
    pub version: Option<String>,
    /// The module of the `certify!`; `None` if the laws did not run as tests.
    pub module: Option<String>,
    /// The type of the harness.
    pub harness: String,
}

impl Name {
    /// The name without the version, which stays the same when a crate is released.
    pub(crate) fn key(&self) -> (Option<&str>, Option<&str>, &str) {
        let (package, module) = (self.package.as_deref(), self.module.as_deref());
        (package, module, &self.harness)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(package) = &self.package {
            write!(f, "{package} ")?;
        }
        if let Some(version) = &self.version {
            write!(f, "{version} ")?;
        }
        f.write_str(&self.harness)
    }
}
