//! What a REGISTER changes, decided whole before any of it is made (RFC 3261 §10.3: all or nothing).

use super::answer::{Answer, refusal};
use super::binding::Binding;
use super::request::{Request, Wanted, Wish};
use crate::handle::Handle;

/// What one Contact value, or `*`, does to the bindings there are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Bind the contact at this place of [`Wish::Each`].
    Add(usize),
    /// Refresh this binding by the contact at this place.
    Update(Handle<Binding>, usize),
    /// Remove this binding.
    Remove(Handle<Binding>),
}

impl Step {
    fn changes(self, handle: Handle<Binding>) -> bool {
        match self {
            Step::Add(_) => false,
            Step::Update(changed, _) | Step::Remove(changed) => changed == handle,
        }
    }
}

/// The steps from the current `bindings` of the address-of-record to those that the request wants; each binding is
/// changed once at most.
///
/// # Errors
///
/// 500 where a binding was made by this Call-ID and the CSeq is not higher: out of order, nothing changes.
pub(super) fn plan(request: &Request<'_>, bindings: &[(Handle<Binding>, &Binding)]) -> Result<Vec<Step>, Answer> {
    let mut steps = Vec::new();
    match &request.wish {
        Wish::Fetch => {}
        Wish::RemoveAll => {
            for (handle, binding) in bindings {
                check_order(request, binding)?;
                steps.push(Step::Remove(*handle));
            }
        }
        Wish::Each(all) => {
            for (place, wanted) in all.iter().enumerate() {
                let Some((handle, binding)) = named_by(wanted, bindings, &steps) else {
                    if wanted.expires_s > 0 {
                        steps.push(Step::Add(place));
                    }
                    continue;
                };
                check_order(request, binding)?;
                let is_end = wanted.expires_s == 0;
                steps.push(if is_end { Step::Remove(handle) } else { Step::Update(handle, place) });
            }
        }
    }
    // ends first: who reads the journal has room then for what takes their place
    steps.sort_by_key(|step| !matches!(step, Step::Remove(_)));
    Ok(steps)
}

/// The binding that a Contact value means: one spelled the same if there is one, since equality of SIP URIs is not
/// transitive (RFC 3261 §19.1.4) and several may match.
fn named_by<'b>(
    wanted: &Wanted<'_>,
    bindings: &[(Handle<Binding>, &'b Binding)],
    steps: &[Step],
) -> Option<(Handle<Binding>, &'b Binding)> {
    let is_free = |handle| !steps.iter().any(|step| step.changes(handle));
    let named = bindings.iter().filter(|(handle, binding)| is_free(*handle) && binding.is_named_by(wanted));
    named.min_by_key(|(_, binding)| binding.text.parts().contact != wanted.uri).copied()
}

/// RFC 3261 §10.3: a request that was overtaken by a later one of the same client fails.
fn check_order(request: &Request<'_>, binding: &Binding) -> Result<(), Answer> {
    if binding.text.parts().call_id == request.call_id && request.cseq <= binding.cseq {
        return Err(refusal(500, format_args!("")));
    }
    Ok(())
}
