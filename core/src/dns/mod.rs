//! stub
use crate::cx::Cx;
use crate::input::Flow;
use crate::transaction::Owner;
/// stub
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Resolver;
/// stub
pub type Answer = Result<TargetSet, DnsFailure>;
/// stub
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Name {
    /// stub
    pub host: String,
}
/// stub
#[derive(Clone, Debug)]
pub struct TargetSet;
/// stub
#[derive(Clone, Copy, Debug)]
pub struct DnsFailure;
impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.host)
    }
}
impl DnsFailure {
    /// stub
    pub fn name(self) -> &'static str {
        ""
    }
}
impl TargetSet {
    /// stub
    pub fn flows(&self) -> std::vec::IntoIter<Flow> {
        Vec::new().into_iter()
    }
}
impl Resolver {
    /// stub
    pub fn resolve(&mut self, _cx: &mut Cx, _name: &Name, _owner: Owner) -> Option<Answer> {
        None
    }
}
