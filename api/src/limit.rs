//! How often one address may post: forms, and the mutations that anybody may send.
//!
//! The count is kept by each process for itself: it is there to slow a flood down, not to be exact.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use poem::Request;

/// Checks between two clearings of addresses that have been quiet for long enough.
const CLEAR_EVERY: u32 = 1024;
/// Most addresses that are counted one by one; about 10 MB. Beyond them, all new ones share one count.
const MAX_ADDRESSES: usize = 100_000;

/// Whose posts are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// One address.
    V4(Ipv4Addr),
    /// One network of the size that a household gets; its addresses can be changed at will.
    V6([u8; 8]),
    /// Everybody whose address is not known, or comes when too many are known already.
    Crowd,
}

impl Client {
    /// Who sent a request. Behind a proxy it is the last address of `X-Forwarded-For`, which the proxy wrote itself;
    /// whatever stands before it was sent by the client and proves nothing.
    pub fn of(req: &Request, trust_proxy: bool) -> Self {
        address(req, trust_proxy).map_or(Self::Crowd, Self::from)
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(network) => write!(f, "{:016x}/64", u64::from_be_bytes(*network)),
            Self::Crowd => f.write_str("somewhere"),
        }
    }
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(std::array::from_fn(|index| address.octets()[index])),
        }
    }
}

/// The address that a request came from.
pub(crate) fn address(req: &Request, trust_proxy: bool) -> Option<IpAddr> {
    if trust_proxy {
        let last = req
            .headers()
            .get_all("x-forwarded-for")
            .into_iter()
            .next_back()?
            .to_str()
            .ok()?;
        let last = last.rsplit(',').next()?.trim();
        return last
            .parse()
            .ok()
            .or_else(|| last.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    }
    req.remote_addr().as_socket_addr().map(SocketAddr::ip)
}

/// The count that one request is held against.
#[derive(Clone, Debug)]
pub(crate) struct Posts {
    limiter: Arc<Limiter>,
    /// Whose posts they are.
    pub client: Client,
}

impl Posts {
    /// The count of whoever sent this request.
    pub fn of(limiter: &Arc<Limiter>, req: &Request, trust_proxy: bool) -> Self {
        Self {
            limiter: Arc::clone(limiter),
            client: Client::of(req, trust_proxy),
        }
    }

    /// Counts one post.
    ///
    /// # Errors
    /// When it is one too many: how many seconds to wait.
    pub fn count(&self) -> Result<(), u64> {
        self.limiter.check(self.client)
    }
}

/// Counts the posts of each client.
#[derive(Debug)]
pub(crate) struct Limiter {
    counts: RateLimiter<Client, DefaultKeyedStateStore<Client>, DefaultClock>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl Limiter {
    /// A limiter that lets this many posts a minute through; at least one.
    pub fn new(per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self {
            counts: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
        }
    }

    /// Counts one post.
    ///
    /// # Errors
    /// When it is one too many: how many seconds to wait.
    pub fn check(&self, client: Client) -> Result<(), u64> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CLEAR_EVERY == CLEAR_EVERY - 1 {
            self.counts.retain_recent();
            self.counts.shrink_to_fit();
        }
        let client = if self.counts.len() >= MAX_ADDRESSES {
            Client::Crowd
        } else {
            client
        };
        self.counts.check_key(&client).map_err(|until| {
            // Rounded up: whoever waits this long is let through.
            until.wait_time_from(self.clock.now()).as_secs() + 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(forwarded: &[&str]) -> Request {
        let mut req = Request::builder();
        for value in forwarded {
            req = req.header("x-forwarded-for", *value);
        }
        req.finish()
    }

    fn client(text: &str) -> Client {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn one_address_is_stopped_and_another_is_not() {
        let limiter = Limiter::new(2);
        let one = client("192.0.2.1");
        assert_eq!((limiter.check(one), limiter.check(one)), (Ok(()), Ok(())));
        let wait_secs = limiter.check(one).unwrap_err();
        assert!((1..=31).contains(&wait_secs), "{wait_secs}");
        assert_eq!(limiter.check(client("192.0.2.2")), Ok(()));
    }

    #[test]
    fn a_household_counts_as_one() {
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff::9"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client_and_only_its_own_entry_counts() {
        let spoofed = request(&["203.0.113.9, 192.0.2.7"]);
        assert_eq!(Client::of(&spoofed, true), client("192.0.2.7"));
        assert_eq!(Client::of(&spoofed, false), Client::Crowd);
        assert_eq!(
            Client::of(&request(&["203.0.113.9", "192.0.2.7:4711"]), true),
            client("192.0.2.7")
        );
        assert_eq!(Client::of(&request(&["nobody"]), true), Client::Crowd);
        assert_eq!(Client::of(&request(&[]), true), Client::Crowd);
    }
}
