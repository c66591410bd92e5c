//! The values of a product policy.

/// A value that the service accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyValue {
    /// Users can buy the product and start trials.
    Enabled,
    /// Users can neither buy the product nor start trials.
    Disabled,
    /// Users can start trials that need no payment method. Only for products (article of 2024-10-10).
    OnlyTrialsWithoutPaymentMethod,
}

impl PolicyValue {
    /// The values with the spellings that [`PolicyValue::parse`] accepts.
    const SPELLINGS: [(Self, &'static [&'static str]); 3] = [
        (Self::Enabled, &["enabled"]),
        (Self::Disabled, &["disabled"]),
        (
            Self::OnlyTrialsWithoutPaymentMethod,
            &["only-trials-without-payment-method", "trials", "OnlyTrialsWithoutPaymentMethod"],
        ),
    ];

    /// All values.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::SPELLINGS.into_iter().map(|(value, _)| value)
    }

    /// Parses a value in this tool's or the service's spelling, ignoring case. Fails with the list of values.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let value =
            Self::SPELLINGS.iter().find(|(_, spellings)| spellings.iter().any(|s| s.eq_ignore_ascii_case(text)));
        value
            .map(|(value, _)| *value)
            .ok_or_else(|| "use enabled, disabled or only-trials-without-payment-method (short: trials)".to_owned())
    }

    /// The service's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::OnlyTrialsWithoutPaymentMethod => "OnlyTrialsWithoutPaymentMethod",
        }
    }

    /// The spelling in tables and messages.
    const fn label(self) -> &'static str {
        match self {
            Self::OnlyTrialsWithoutPaymentMethod => "Trials only",
            other => other.as_str(),
        }
    }

    /// Parses the service's spelling, ignoring case. Returns `None` for a value that this version does not know.
    pub fn from_service(text: &str) -> Option<Self> {
        Self::all().find(|value| value.matches(Some(text)))
    }

    /// Whether the service's value equals this one, ignoring case.
    pub fn matches(self, service_value: Option<&str>) -> bool {
        service_value.is_some_and(|value| value.eq_ignore_ascii_case(self.as_str()))
    }
}

/// Formats a value of the service for tables and messages. An unknown value is unchanged.
pub fn value_label(value: &str) -> &str {
    PolicyValue::from_service(value).map_or(value, |known| known.label())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_parse_accepts_every_spelling() {
        for text in ["trials", "TRIALS", "only-trials-without-payment-method", "onlytrialswithoutpaymentmethod"] {
            assert_eq!(PolicyValue::parse(text), Ok(PolicyValue::OnlyTrialsWithoutPaymentMethod), "{text}");
        }
        assert_eq!(PolicyValue::parse("eNABLED"), Ok(PolicyValue::Enabled));
        assert!(PolicyValue::parse("off").is_err());
    }
}
