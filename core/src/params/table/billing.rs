//! Billing and call detail records (behaviour 1(f), 2.5, 3).

use crate::params::kind::Kind;
use crate::params::spec::Spec;

const SECTION: &str = "Billing and CDR";

pub(super) const SPECS: &[Spec] = &[
    Spec::active(
        SECTION,
        "SERVER_BILLING_HOLD_TIME_PRECISION",
        Kind::Whole { min: 0, max: 999 },
        "50",
        "ms",
        "A conversation is billed in whole seconds; a remainder of at least this much counts as one more",
    ),
    Spec::active(
        SECTION,
        "SERVER_CDR_FILE_WRITE_INTERVAL",
        Kind::Whole { min: 1, max: 86_400 },
        "60",
        "s",
        "A new CDR file begins after this time; none is written where no call ended",
    ),
    Spec::active(
        SECTION,
        "SERVER_CDR_FILE_WRITE_MAX",
        Kind::Whole { min: 1, max: 1_000_000 },
        "2048",
        "files",
        "CDR files that are kept, the newest",
    ),
    Spec::accepted(
        SECTION,
        "SERVER_MAX_CDR_PENDING_LIST_LENGTH",
        Kind::Whole { min: 1, max: 10_000_000 },
        "100000",
        "records",
        "Records that may wait for the database before they are spilt to disk",
    ),
    Spec::accepted(SECTION, "SS_CDR_RECORD_TO_FILE", Kind::Switch, "On", "", "Write call detail records to files"),
    Spec::accepted(
        SECTION,
        "SS_CDR_RECORD_NONCONNECT",
        Kind::Switch,
        "On",
        "",
        "Write a record for calls that were never answered too",
    ),
    Spec::accepted(
        SECTION,
        "SERVER_BILLING_FREE_TIME",
        Kind::Whole { min: 0, max: 3600 },
        "0",
        "s",
        "Calls up to this length cost nothing",
    ),
    Spec::accepted(
        SECTION,
        "SERVER_BILLING_FEE_PRECISTION",
        Kind::Text { max_bytes: 32 },
        "",
        "",
        "Precision of a fee (the name is spelt so in VOS3000); kept as written, empty is not set",
    ),
    Spec::accepted(
        SECTION,
        "SERVER_BILLING_FEE_UNIT",
        Kind::Text { max_bytes: 32 },
        "",
        "",
        "Smallest unit of a fee; kept as written, empty is not set",
    ),
    Spec::accepted(
        SECTION,
        "SERVER_BILLING_RECORD_ZERO_HOLD_TIME",
        Kind::Switch,
        "On",
        "",
        "Bill calls whose hold time rounds to nothing too",
    ),
    Spec::accepted(
        SECTION,
        "SERVER_BILLING_RECORD_SERVER_HANG_UP",
        Kind::Switch,
        "On",
        "",
        "Bill calls that the switch itself ended too",
    ),
    Spec::accepted(
        SECTION,
        "SERVER_BILLING_PREVENT_OVERDRAFT_ADVANCE_TIME",
        Kind::Whole { min: 0, max: 86_400 },
        "0",
        "s",
        "How long before an account runs dry its calls are ended; 0 is off",
    ),
];
