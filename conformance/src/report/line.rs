//! One line of a journal: the verdict on one law, and the suite that it belongs to.
//!
//! Each line repeats everything about its suite, since it may be the only line: a law that is waived or
//! not claimed leaves none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Law, catalogue};
use crate::contract::capability::Claim;
use crate::contract::{CONTRACT, LawId};
use crate::finding::verdict::Verdict;
use crate::report::suite::Name;
use crate::runner::Judgement;
use crate::runner::plan::Plan;

/// The version of the format.
pub(crate) const FORMAT: u32 = 1;

/// The verdict on one law in one process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    /// [`FORMAT`]. This key distinguishes the lines of a journal from other JSON.
    crashpoint_law: u32,
    pub(crate) contract: String,
    #[serde(flatten)]
    pub(crate) name: Name,
    pub(crate) claims: Vec<String>,
    pub(crate) waived: BTreeMap<String, String>,
    pub(crate) expected_to_fail: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(crate) origin: Origin,
    pub(crate) law: String,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    pub(crate) millis: u64,
    /// What the verdict depends on beside the store. Lines of earlier releases do not say.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether an operation missed its deadline. Lines of earlier releases do not say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) late: bool,
}

/// Where a line comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The build of the tests. Verdicts of different builds are about different stores.
    pub(crate) build: String,
    /// The run of the tests.
    pub(crate) run: String,
    /// When the law ended, in milliseconds since 1970.
    pub(crate) at_ms: u64,
}

impl Line {
    pub(crate) fn new(name: Name, plan: &Plan, origin: Origin, law: &Law) -> Self {
        let by_id = |reasons: &[(LawId, String)]| {
            let reasons = reasons.iter();
            reasons
                .map(|(id, why)| (id.to_string(), why.clone()))
                .collect()
        };
        Self {
            crashpoint_law: FORMAT,
            contract: CONTRACT.to_owned(),
            name,
            claims: words(plan.holds()),
            waived: by_id(plan.waived()),
            expected_to_fail: by_id(plan.failing()),
            origin,
            law: law.id.to_string(),
            verdict: Verdict::NotRun(String::new()),
            millis: 0,
            environment: BTreeMap::new(),
            late: false,
        }
    }

    pub(crate) fn with(mut self, judgement: &Judgement) -> Self {
        self.verdict = judgement.verdict.clone();
        self.millis = judgement.millis();
        self.late = judgement.late;
        self
    }

    pub(crate) fn in_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    /// The line as it is written, with its line break.
    ///
    /// # Panics
    ///
    /// Never: JSON can represent every line.
    pub(crate) fn to_json(&self) -> String {
        let mut json = serde_json::to_string(self).expect("a line is plain data");
        // JSON escapes the line breaks of texts.
        assert!(!json.contains('\n'), "a law's line is one line");
        json.push('\n');
        json
    }

    /// Reads a line.
    ///
    /// # Errors
    ///
    /// Why it can't be read.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            crashpoint_law: u32,
        }
        let version = serde_json::from_str::<Version>(text);
        let version = version.map_err(|error| format!("is not a line of the kit: {error}"))?;
        if version.crashpoint_law != FORMAT {
            let found = version.crashpoint_law;
            return Err(format!(
                "has format {found}; this kit reads format {FORMAT}"
            ));
        }
        let line = serde_json::from_str::<Self>(text);
        let line = line.map_err(|error| format!("is not complete: {error}"))?;
        if line.contract != CONTRACT {
            let found = &line.contract;
            return Err(format!(
                "is about contract {found}; this kit knows contract {CONTRACT}"
            ));
        }
        Ok(line)
    }

    /// The plan of the suite.
    ///
    /// # Errors
    ///
    /// If it names a claim or a law that this kit does not know.
    pub(crate) fn plan(&self) -> Result<Plan, String> {
        let mut plan = Plan::new();
        for word in &self.claims {
            let claim = Claim::ALL.iter().find(|claim| claim.word() == word);
            let claim = claim.ok_or_else(|| format!("names the unknown claim {word:?}"))?;
            plan = plan.claims([*claim]);
        }
        let assumed = Claim::ALL.iter().filter(|claim| claim.is_assumed());
        let lacked = assumed.filter(|claim| !self.claims.iter().any(|word| word == claim.word()));
        plan = plan.lacks(lacked.copied());
        for (id, reason) in &self.waived {
            plan = plan.waive(known(id)?.id, reason);
        }
        for (id, reason) in &self.expected_to_fail {
            plan = plan.expect_fail(known(id)?.id, reason);
        }
        Ok(plan)
    }

    /// The law of the line.
    ///
    /// # Errors
    ///
    /// If this kit does not know the law.
    pub(crate) fn law(&self) -> Result<&'static Law, String> {
        known(&self.law)
    }
}

/// The words of claims.
pub(crate) fn words(claims: impl Iterator<Item = Claim>) -> Vec<String> {
    claims.map(|claim| claim.word().to_owned()).collect()
}

fn known(id: &str) -> Result<&'static Law, String> {
    let mut laws = catalogue().iter();
    laws.find(|law| law.id.to_string() == id)
        .ok_or_else(|| format!("names the unknown law {id:?}"))
}
