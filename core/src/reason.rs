//! Reasons by which something is counted: an enum with a name for each, and all of them in order.

macro_rules! reasons {
    (
        $(#[doc = $about:literal])+
        $Reason:ident:
        $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $Reason {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $Reason {
            /// Every reason, in the order in which counts of them stand.
            pub const ALL: &'static [$Reason] = &[$($Reason::$variant),+];

            /// The reason's name in logs and metrics.
            pub fn name(self) -> &'static str {
                match self {
                    $($Reason::$variant => $name,)+
                }
            }
        }
    };
}

pub(crate) use reasons;
