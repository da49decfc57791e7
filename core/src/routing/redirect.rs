//! From the contacts of a 3xx to further ways (RFC 3261 §8.1.3.4).
//!
//! Only 300, 301 and 302 name other places for the same call; 305 names a proxy and 380 another kind of service, so these
//! are passed on. A contact is a number of ours where its host is this switch, or where it is a tel URI: then all of
//! routing holds for it, under the name of the original caller. A contact at an address or a name of a routing gateway is
//! called through that gateway, with the number as it stands there.

use super::gateway;
use super::load::Use;
use super::model::{Caller, Facts, Hop, Step, Target, Way};
use super::plan::{Detail, Planner};
use super::policy::Redirect;
use super::rule::Rule;
use crate::config::{Gateway, Peer};
use crate::dns;
use crate::limits;
use crate::sip::{DEFAULT_PORT, Message, Name, NameAddr, Scheme, Uri, host_name, q_permille};

/// What has become of the call so far.
#[derive(Clone, Copy)]
pub struct Course<'a> {
    /// The way that answered 3xx.
    pub from: &'a Way,
    /// Every way that was or is being tried, and every one still planned.
    pub ways: &'a [&'a Way],
    /// How many 3xx have been followed.
    pub followed: u8,
}

/// What follows from a 3xx.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redirected {
    /// The caller gets the 3xx.
    pub is_passed: bool,
    /// The ways to try next, before those still planned; their rounds are behind all others. Empty where the 3xx is passed
    /// on, and where no contact can be called: then the attempt counts as [`super::failover::Failure::DeadRedirect`].
    pub ways: Vec<Way>,
    /// What each rule said to each contact.
    pub steps: Vec<Step>,
    /// What the call takes up beside its attempts, in addition to what it does already.
    pub uses: Use,
}

/// One contact of a 3xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact<'m> {
    /// The URI as written.
    pub uri: &'m [u8],
    /// Preference in thousandths, 0 to 1000.
    pub q_permille: u16,
}

/// The contacts of a 3xx, best first, at most [`limits::CONTACTS_PER_AOR`]; those that cannot be read are left out.
pub fn contacts<'m>(message: &Message<'m>) -> Vec<Contact<'m>> {
    let read = message.list(Name::Contact).take(limits::CONTACTS_PER_AOR).filter_map(|value| {
        let address = NameAddr::parse(value).ok()?;
        // RFC 3261 §20.10 says nothing of a missing q; with the registrar it is 1.
        let q_permille = address.params.get("q").and_then(q_permille).unwrap_or(1000);
        Some(Contact { uri: address.uri, q_permille })
    });
    let mut contacts: Vec<Contact<'m>> = read.collect();
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q_permille));
    contacts
}

/// What follows where a way has answered `status`, a 3xx, with these contacts. Pure, and bounded by the contacts and
/// [`limits::REDIRECTS_PER_CALL`].
pub fn follow(
    facts: &Facts<'_>,
    caller: &Caller<'_>,
    course: Course<'_>,
    status: u16,
    contacts: &[Contact<'_>],
) -> Redirected {
    let from = course.from;
    let name = [from.gateway.as_str(), &from.user].concat();
    let mut redirected = Redirected::default();
    if from.policy.redirect == Redirect::Pass || !(300..=302).contains(&status) {
        redirected.is_passed = true;
        redirected.steps.push(Step::new(Rule::RedirectPass, &name, status.to_string()));
        return redirected;
    }
    if course.followed >= limits::REDIRECTS_PER_CALL {
        redirected.steps.push(Step::new(Rule::RedirectEnough, &name, format!("{} times", course.followed)));
        return redirected;
    }
    for contact in contacts {
        let mut planner = Planner::new(facts, *caller, Detail::Chosen);
        let found = towards(&mut planner, from, contact.uri);
        redirected.steps.append(&mut planner.plan.steps);
        if let Err(step) = found {
            redirected.steps.push(step);
            continue;
        }
        add(&mut redirected, course, contact.uri, planner.plan.ways);
    }
    let callees = redirected.ways.iter().map(|way| &way.user).filter(|user| !user.is_empty());
    redirected.uses.phones = callees.cloned().collect();
    redirected.uses.phones.dedup();
    redirected
}

/// Puts the ways of one contact behind those found before, but for those that the call knows already.
fn add(redirected: &mut Redirected, course: Course<'_>, uri: &[u8], ways: Vec<Way>) {
    let last_round = |ways: &[Way]| ways.last().map(|way| way.round);
    let known = course.ways.iter().map(|way| way.round).max();
    let first = last_round(&redirected.ways).or(known).map_or(0, |round| round.saturating_add(1));
    let text = String::from_utf8_lossy(uri);
    for mut way in ways {
        let is_known = course.ways.iter().any(|known| is_same(known, &way))
            || redirected.ways.iter().any(|known| is_same(known, &way));
        let rule = match is_known {
            true => Rule::RedirectLoop,
            false if redirected.ways.len() == limits::WAYS_PER_CALL => Rule::RouteEnough,
            false => Rule::RedirectWay,
        };
        redirected.steps.push(Step::new(rule, &text, ""));
        if rule == Rule::RedirectWay {
            way.rule = rule;
            way.round = way.round.saturating_add(first);
            redirected.ways.push(way);
        }
    }
}

fn is_same(one: &Way, other: &Way) -> bool {
    (&one.gateway, &one.user, &one.number) == (&other.gateway, &other.user, &other.number)
        && one.targets == other.targets
}

/// The ways that one contact stands for, into the plan of the planner.
fn towards(planner: &mut Planner<'_>, from: &Way, contact: &[u8]) -> Result<(), Step> {
    let text = String::from_utf8_lossy(contact);
    let dropped = |rule, facts: &str| Step::new(rule, &text, facts);
    let uri = Uri::parse(contact).map_err(|reason| dropped(Rule::RedirectUri, reason))?;
    let config = planner.facts.config;
    if uri.scheme == Scheme::Tel || (uri.is_sip() && config.is_own_host(uri.host, uri.port)) {
        let number = uri.number().ok_or_else(|| dropped(Rule::RedirectUri, "no number"))?;
        return planner.redirect(&number).map_err(|refusal| dropped(Rule::RedirectRefused, refusal.rule.name()));
    }
    let is_udp = uri.params.get("transport").is_none_or(|name| name.eq_ignore_ascii_case(b"udp"));
    let peer = peer_of(&uri).filter(|_| uri.scheme == Scheme::Sip && is_udp);
    let peer = peer.ok_or_else(|| dropped(Rule::RedirectUri, "only sip over udp is called"))?;
    let mut routing = config.gateways.iter().filter(|gateway| gateway.routing);
    if let Some(gateway) = routing.find(|gateway| is_at(gateway, &peer)) {
        let number = uri.number().ok_or_else(|| dropped(Rule::RedirectUri, "no number"))?;
        gateway::usable(planner.facts, &planner.caller, gateway)?;
        let caller = planner.caller.number;
        gateway::through(planner, gateway, &[peer], number, caller);
    } else if from.policy.redirect == Redirect::Anywhere {
        let hop = match peer.target() {
            Some(remote) => Hop::Flow(config.flow_to(remote).ok_or_else(|| dropped(Rule::RouteNoSocket, ""))?),
            None => Hop::Name(dns::Name::from(&peer)),
        };
        let bare = contact.len() - uri.headers.len();
        let uri_out = contact[..bare].strip_suffix(b"?").unwrap_or(&contact[..bare]);
        planner.plan.ways.push(Way {
            rule: Rule::RedirectWay,
            gateway: String::new(),
            user: String::new(),
            targets: vec![Target { hop, uri: uri_out.into(), routes: Vec::new() }],
            number: uri.number().unwrap_or_default(),
            caller: from.caller.clone(),
            round: 0,
            policy: from.policy.clone(),
            uses: Use::default(),
        });
    } else {
        return Err(dropped(Rule::RedirectForeign, ""));
    }
    Ok(())
}

/// Where a contact is: at an address with a port, or where its name leads.
fn peer_of(uri: &Uri<'_>) -> Option<Peer> {
    if let Some(ip) = uri.host_ip() {
        return Some(Peer::Address { ip: ip.to_canonical(), port: uri.port.or(Some(DEFAULT_PORT)) });
    }
    let host = host_name(std::str::from_utf8(uri.host).ok()?)?;
    Some(Peer::Name { host: host.into(), port: uri.port })
}

/// Whether a contact is a peer of this gateway. Names are compared as they are written: where they lead is asked when it is
/// called.
fn is_at(gateway: &Gateway, contact: &Peer) -> bool {
    gateway.peers.iter().any(|peer| match (peer, contact) {
        (Peer::Address { ip, port }, Peer::Address { ip: other, port: at }) => {
            ip == other && (port.is_none() || port == at)
        }
        (Peer::Name { host, port }, Peer::Name { host: other, port: at }) => {
            host == other && (port.is_none() || port == at)
        }
        _ => false,
    })
}
