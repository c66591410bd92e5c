//! The state of the simulated tenants: users, products, and issued tokens.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::application::Application;
use super::catalog::{self, Product};
use super::device::{DeviceApproval, DeviceCode};
use super::response::{Received, Response};
use super::{
    ADMIN, CUSTOMER_DOMAIN, CUSTOMER_TENANT, DISABLED, EXPIRED, HOME_DOMAIN, HOME_TENANT, LOCKED, MFA, NOBODY, READER,
};

/// The directory roles that the policy endpoint knows \[article-2024\].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Can read and update.
    BillingAdministrator,
    /// Can read and update.
    GlobalAdministrator,
    /// Can read.
    GlobalReader,
    /// Can do neither.
    None,
}

impl Role {
    pub(super) fn can_read(self) -> bool {
        self != Self::None
    }

    pub(super) fn can_update(self) -> bool {
        matches!(self, Self::BillingAdministrator | Self::GlobalAdministrator)
    }
}

/// A user.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) name: &'static str,
    pub(super) display_name: &'static str,
    pub(super) object_id: &'static str,
    pub(super) role: Role,
    /// The AADSTS error that the password grant returns for the right password, if any.
    pub(super) login_error: Option<u32>,
}

/// A tenant and its catalog.
pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) domain: String,
    pub(super) products: Vec<Product>,
    pub(super) offer_types: Vec<Product>,
}

impl Tenant {
    /// A tenant with the default catalog.
    pub(super) fn new(id: &str, domain: &str) -> Self {
        Self {
            id: id.to_owned(),
            domain: domain.to_owned(),
            products: catalog::default_products(),
            offer_types: catalog::default_offer_types(),
        }
    }

    /// Whether this is the id or the domain of the tenant.
    fn is_named(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name) || self.domain.eq_ignore_ascii_case(name)
    }
}

/// An authorization code.
pub(super) struct AuthorizationCode {
    pub(super) user: &'static str,
    pub(super) tenant_id: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) scope: String,
    pub(super) redeemed: bool,
}

/// The subject of a token.
#[derive(Debug, Clone)]
pub(super) enum Bearer {
    /// A user. The role is looked up when the token is used.
    User(&'static str),
    /// The application, with its permissions at the time of issue.
    Application { roles: Vec<String> },
}

/// An issued access token.
pub(super) struct AccessToken {
    pub(super) bearer: Bearer,
    pub(super) tenant_id: String,
    pub(super) expires_at: i64,
    pub(super) revoked: bool,
}

/// A refresh token: bound to its user, not to a tenant \[ED/refresh-tokens\].
pub(super) struct RefreshToken {
    pub(super) user: &'static str,
    pub(super) scope: String,
    pub(super) revoked: bool,
}

/// A response that waits for its request.
pub(super) struct QueuedResponse {
    pub(super) path_contains: String,
    pub(super) response: Response,
    /// The remaining number of uses: the first request and its retries.
    pub(super) left: usize,
    /// The request line of the first use.
    pub(super) line: Option<String>,
}

impl QueuedResponse {
    fn fits(&self, line: &str) -> bool {
        self.line.as_ref().map_or_else(|| line.contains(&self.path_contains), |served| served == line)
    }
}

/// Changes a response to a request.
pub(super) type Rewrite = Box<dyn Fn(&Received, Response) -> Response + Send>;

/// The state of all services.
pub(super) struct TenantState {
    pub(super) requests: Vec<Received>,
    pub(super) queued: Vec<QueuedResponse>,
    pub(super) users: Vec<User>,
    pub(super) approving_user: &'static str,
    pub(super) tenants: Vec<Tenant>,
    pub(super) application: Application,
    pub(super) policy_extra: Map<String, Value>,
    pub(super) misreport_updates: bool,
    /// Changes every response.
    pub(super) rewrite: Option<Rewrite>,
    /// The delay of every response.
    pub(super) delay: Duration,
    pub(super) token_lifetime: i64,
    pub(super) device_approval: DeviceApproval,
    pub(super) device_interval: Option<u64>,
    pub(super) authorization_codes: HashMap<String, AuthorizationCode>,
    pub(super) device_codes: HashMap<String, DeviceCode>,
    pub(super) access_tokens: HashMap<String, AccessToken>,
    pub(super) refresh_tokens: HashMap<String, RefreshToken>,
}

impl TenantState {
    pub(super) fn new() -> Self {
        Self {
            requests: Vec::new(),
            queued: Vec::new(),
            users: users(),
            approving_user: ADMIN,
            tenants: vec![
                Tenant::new(HOME_TENANT, HOME_DOMAIN),
                Tenant {
                    products: catalog::customer_products(),
                    offer_types: catalog::customer_offer_types(),
                    ..Tenant::new(CUSTOMER_TENANT, CUSTOMER_DOMAIN)
                },
            ],
            application: Application::new(),
            policy_extra: Map::new(),
            misreport_updates: false,
            rewrite: None,
            delay: Duration::ZERO,
            token_lifetime: 3600,
            device_approval: DeviceApproval::Approve,
            device_interval: Some(1),
            authorization_codes: HashMap::new(),
            device_codes: HashMap::new(),
            access_tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
        }
    }

    /// The earliest queued response that matches this request.
    pub(super) fn take_queued(&mut self, line: &str) -> Option<Response> {
        let index = self.queued.iter().position(|queued| queued.fits(line))?;
        let queued = &mut self.queued[index];
        queued.line = Some(line.to_owned());
        queued.left -= 1;
        let (response, is_used_up) = (queued.response.clone(), queued.left == 0);
        if is_used_up {
            self.queued.remove(index);
        }
        Some(response)
    }

    /// The user of that name, if there is one.
    pub(super) fn find_user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name.eq_ignore_ascii_case(name))
    }

    /// The user of that name, which must exist.
    pub(super) fn user(&mut self, name: &str) -> &mut User {
        self.users
            .iter_mut()
            .find(|user| user.name.eq_ignore_ascii_case(name))
            .unwrap_or_else(|| panic!("the simulated tenant has no user {name}"))
    }

    /// The user who approves browser and device code sign-ins.
    pub(super) fn approver(&self) -> User {
        self.find_user(self.approving_user).expect("sign_in_as takes existing users only").clone()
    }

    /// The id of the tenant in an authority path: an id, a domain, or `organizations` for the home tenant.
    pub(super) fn tenant_named(&self, name: &str) -> Option<String> {
        if name.eq_ignore_ascii_case("organizations") {
            return Some(HOME_TENANT.to_owned());
        }
        self.tenants.iter().find(|tenant| tenant.is_named(name)).map(|tenant| tenant.id.clone())
    }

    /// The tenant of that id, which must exist.
    pub(super) fn tenant(&mut self, tenant_id: &str) -> &mut Tenant {
        self.tenants
            .iter_mut()
            .find(|tenant| tenant.id.eq_ignore_ascii_case(tenant_id))
            .unwrap_or_else(|| panic!("there is no simulated tenant {tenant_id}"))
    }

    /// The product or offer type of that id, which must exist.
    pub(super) fn entry(&mut self, tenant_id: &str, id: &str) -> &mut Product {
        let tenant = self.tenant(tenant_id);
        tenant
            .products
            .iter_mut()
            .chain(&mut tenant.offer_types)
            .find(|entry| entry.id.eq_ignore_ascii_case(id))
            .unwrap_or_else(|| panic!("tenant {tenant_id} has no product or offer type {id}"))
    }
}

fn users() -> Vec<User> {
    let user =
        |name, display_name, object_id, role, login_error| User { name, display_name, object_id, role, login_error };
    vec![
        user(
            ADMIN,
            "Contoso Billing Administrator",
            "a0000000-0000-4000-8000-000000000001",
            Role::BillingAdministrator,
            None,
        ),
        user(READER, "Contoso Global Reader", "a0000000-0000-4000-8000-000000000002", Role::GlobalReader, None),
        user(NOBODY, "Contoso User", "a0000000-0000-4000-8000-000000000003", Role::None, None),
        user(
            MFA,
            "Contoso User with a Second Factor",
            "a0000000-0000-4000-8000-000000000004",
            Role::BillingAdministrator,
            Some(50076),
        ),
        user(DISABLED, "Contoso Disabled User", "a0000000-0000-4000-8000-000000000005", Role::None, Some(50057)),
        user(LOCKED, "Contoso Locked User", "a0000000-0000-4000-8000-000000000006", Role::None, Some(50053)),
        user(
            EXPIRED,
            "Contoso User with an Old Password",
            "a0000000-0000-4000-8000-000000000007",
            Role::None,
            Some(50055),
        ),
    ]
}
