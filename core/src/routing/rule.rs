//! The rules by which a call finds its way: one table, which code, explanations and `docs/routing.md` share.

use serde::{Deserialize, Serialize};

/// What follows where a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The candidate is taken as a way for the call.
    Taken,
    /// The candidate is left out.
    Dropped,
    /// A number is changed; the candidate stays.
    Changed,
    /// The call is refused.
    Refused,
    /// After a failed attempt the next way is tried.
    GoesOn,
    /// After a failed attempt no further way is tried.
    Stops,
    /// Decides what the caller is told in the end.
    Answers,
}

impl Verdict {
    /// As explanations and the reference print it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Taken => "taken",
            Verdict::Dropped => "dropped",
            Verdict::Changed => "changed",
            Verdict::Refused => "refused",
            Verdict::GoesOn => "goes on",
            Verdict::Stops => "stops",
            Verdict::Answers => "answers",
        }
    }
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal => $verdict:ident,)+) => {
        /// A rule of routing. Each has one name, the same in explanations, events, records and the reference.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Rule {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Rule {
            /// Every rule, in the order of the reference.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant),+];

            /// Its name, such as `route.prefix`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Rule::$variant => $name,)+
                }
            }

            /// What follows where it applies.
            pub fn verdict(self) -> Verdict {
                match self {
                    $(Rule::$variant => Verdict::$verdict,)+
                }
            }

            /// When it applies, and why.
            pub fn help(self) -> &'static str {
                match self {
                    $(Rule::$variant => concat!($($doc),+).trim_ascii_start(),)+
                }
            }
        }
    };
}

rules! {
    /// A current binding of the called phone. Bindings of equal q ring together, those of lower q follow when all before
    /// them have failed (RFC 3261 §16.6)
    RouteBinding = "route.binding" => Taken,
    /// The called number is one that the switch answers itself: `echo_number` or `tone_number` of `[tones]`
    RouteStation = "route.station" => Taken,
    /// The call takes the place of another (RFC 3891): it goes to the peer of that one's other leg
    RouteReplaces = "route.replaces" => Taken,
    /// The binding that the call itself comes from: a phone that calls its own number rings its other devices
    RouteOwnBinding = "route.own-binding" => Dropped,
    /// The called number is the caller's own and it has no other device: 486, it is on the line
    RouteSelf = "route.self" => Refused,
    /// The called number is a phone of ours and nothing is registered for it: 480
    RouteNotRegistered = "route.not-registered" => Refused,
    /// A gateway has a prefix of the called number: longer prefixes first, then the smaller `priority`, then the fewest
    /// calls under way, then the order of the file
    RoutePrefix = "route.prefix" => Taken,
    /// None of the gateway's prefixes begins the number; told by `explain route` only
    RouteOtherPrefix = "route.other-prefix" => Dropped,
    /// A gateway with a longer prefix takes the number with mode `terminate`: those with shorter ones are not asked. One
    /// that is full or down ends the search all the same, one that denies the number or the caller does not. Told by
    /// `explain route` only
    RouteTerminate = "route.terminate" => Dropped,
    /// The call comes from this gateway, which would get it back
    RouteSameGateway = "route.same-gateway" => Dropped,
    /// The gateway is out of use: its health check failed, it asked for a pause (Retry-After), or it is not registered
    RouteDown = "route.down" => Dropped,
    /// No `[[listen]]` socket has the address family of the next hop
    RouteNoSocket = "route.no-socket" => Dropped,
    /// The call has as many ways as the switch keeps (`limits::WAYS_PER_CALL`)
    RouteEnough = "route.enough" => Dropped,
    /// Every gateway that takes the number is at its limit: 503
    RouteCapacity = "route.capacity" => Refused,
    /// Every gateway that takes the number is at its limit or out of use: 503, with Retry-After where the end is known
    RouteUnavailable = "route.unavailable" => Refused,
    /// Nobody takes the number: 404
    RouteNone = "route.none" => Refused,

    /// The mapping gateway may not call this number: 403
    InCalleeDenied = "in.callee-denied" => Refused,
    /// The mapping gateway may not call from this number: 403
    InCallerDenied = "in.caller-denied" => Refused,
    /// The called number has fewer or more digits than the mapping gateway may send: 484
    InCalleeLength = "in.callee-length" => Refused,
    /// The calling number has fewer or more digits than the mapping gateway may send: 403
    InCallerLength = "in.caller-length" => Refused,
    /// The gateway does not take this called number
    NumberCalleeDenied = "number.callee-denied" => Dropped,
    /// The gateway does not take calls from this number
    NumberCallerDenied = "number.caller-denied" => Dropped,
    /// The called number has fewer or more digits than the gateway takes
    NumberCalleeLength = "number.callee-length" => Dropped,
    /// The calling number has fewer or more digits than the gateway takes
    NumberCallerLength = "number.caller-length" => Dropped,
    /// The called number is rewritten: of the prefixes that begin it the longest
    NumberRewriteCallee = "number.rewrite-callee" => Changed,
    /// The calling number is rewritten: of the prefixes that begin it the longest
    NumberRewriteCaller = "number.rewrite-caller" => Changed,
    /// The gateway is shown a number of `caller_id`; of several always the same for the same caller
    NumberCallerId = "number.caller-id" => Changed,

    /// The switch has `[switch] max_calls` calls: 503
    LimitSwitch = "limit.switch" => Refused,
    /// The calling phone has `max_calls` calls, in and out together: 486
    LimitPhone = "limit.phone" => Refused,
    /// The called phone has `max_calls` calls, in and out together: 486
    LimitCallee = "limit.callee" => Refused,
    /// The mapping gateway has `capacity` calls, in and out together: 503
    LimitMapping = "limit.mapping" => Refused,
    /// The group of the mapping gateway has `capacity` calls: 503
    LimitMappingGroup = "limit.mapping-group" => Refused,
    /// The gateway has `capacity` calls, in and out together
    LimitGateway = "limit.gateway" => Dropped,
    /// The gateway's group has `capacity` calls
    LimitGroup = "limit.group" => Dropped,
    /// The gateway's free lines are `reserved` for others
    LimitReserved = "limit.reserved" => Dropped,

    /// A contact of a 3xx is a further way, best q first (RFC 3261 §8.1.3.4)
    RedirectWay = "redirect.way" => Taken,
    /// The caller gets the 3xx: the policy is `pass`, or it names no other place (only 300, 301 and 302 do)
    RedirectPass = "redirect.pass" => Stops,
    /// The call has been there already, or is on its way there (RFC 3261 §16.5)
    RedirectLoop = "redirect.loop" => Dropped,
    /// The call has been redirected as often as one may be (`limits::REDIRECTS_PER_CALL`)
    RedirectEnough = "redirect.enough" => Dropped,
    /// The contact is neither a number of ours nor a gateway, and the policy is not `anywhere`
    RedirectForeign = "redirect.foreign" => Dropped,
    /// The contact is no SIP or tel URI that can be called
    RedirectUri = "redirect.uri" => Dropped,
    /// The number that the contact names is refused by the rules above
    RedirectRefused = "redirect.refused" => Dropped,

    /// It was answered
    SwitchConnected = "switch.connected" => Stops,
    /// The caller has given up
    SwitchCancelled = "switch.cancelled" => Stops,
    /// The caller has heard media: SS_GATEWAY_SWITCH_STOP_AFTER_RTP_START, or the gateway's `after_rtp`
    SwitchAfterRtp = "switch.after-rtp" => Stops,
    /// A provisional answer had SDP, so that the caller may hear the callee's tones: SS_SIP_STOP_SWITCH_AFTER_SDP unless
    /// SS_GATEWAY_SWITCH_UNTIL_CONNECT, or the gateway's `after_sdp`
    SwitchAfterSdp = "switch.after-sdp" => Stops,
    /// It has rung, and would ring again: unless SS_GATEWAY_SWITCH_UNTIL_CONNECT, or the gateway's `after_18x`
    SwitchAfter18x = "switch.after-18x" => Stops,
    /// The status is among the gateway's `stop` codes
    SwitchStopCode = "switch.stop-code" => Stops,
    /// The status is among the gateway's `next` codes
    SwitchNextCode = "switch.next-code" => GoesOn,
    /// The callee is busy (486), and the gateway's `after_busy` is not set
    SwitchBusy = "switch.busy" => Stops,
    /// The callee is busy (486), and `after_busy` is set; a phone's other devices may be free all the same
    SwitchAfterBusy = "switch.after-busy" => GoesOn,
    /// A 6xx holds for every place (RFC 3261 §21.6, §16.7 step 5)
    SwitchGlobal = "switch.global" => Stops,
    /// A 3xx that the caller gets
    SwitchRedirected = "switch.redirected" => Stops,
    /// The status is about the number, whoever is asked (410, 484, 485), or ends the request (487);
    /// for the devices of a phone it is an answer like others
    SwitchNumber = "switch.number" => Stops,
    /// No answer of any kind came, and SS_SIP_USER_AGENT_STOP_SWITCH_AFTER_INVITE_TIMEOUT is on
    SwitchInviteTimeout = "switch.invite-timeout" => Stops,
    /// The gateways tried are SS_GATEWAY_SWITCH_LIMIT, or the gateway's `limit`
    SwitchLimit = "switch.limit" => Stops,
    /// No answer came within its call timer
    SwitchTimeout = "switch.timeout" => GoesOn,
    /// Nothing listens there, or its name does not resolve
    SwitchUnreachable = "switch.unreachable" => GoesOn,
    /// When its turn came it was full or out of use; it was not tried
    SwitchUnavailable = "switch.unavailable" => GoesOn,
    /// The relay had no ports for its media, and has none for another way either
    SwitchMediaPorts = "switch.media-ports" => Stops,
    /// None of the contacts of its 3xx can be called
    SwitchDeadRedirect = "switch.dead-redirect" => GoesOn,
    /// It cannot serve the call, another may (4xx, 5xx; RFC 3261 §21.4, §21.5)
    SwitchFailure = "switch.failure" => GoesOn,

    /// The caller gave up: 487
    AnswerCancelled = "answer.cancelled" => Answers,
    /// The first 6xx
    AnswerGlobal = "answer.global" => Answers,
    /// The lowest class of all answers; in it 415, 420, 484 before 486 before others before timeouts, then the first
    /// tried (RFC 3261 §16.7 step 6)
    AnswerBest = "answer.best" => Answers,
    /// The best answer is between a gateway and the switch (401, 402, 407, 422, 423, 494) or there is none: 503, or 408
    /// and 480 for timeouts
    AnswerOwn = "answer.own" => Answers,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
