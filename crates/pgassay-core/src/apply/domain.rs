//! Domains.

use std::collections::BTreeSet;

use super::{Applier, ProblemKind};
use crate::change::{AlterDomain, AlterDomainAction, Constraint, ConstraintKind, CreateDomain, Ident, QualifiedName};
use crate::schema::{Domain, DomainConstraint, TypeDefinition, TypeId};

impl Applier<'_> {
    pub(super) fn create_domain(&mut self, create: &CreateDomain) {
        let name = self.new_name(&create.name);
        if !self.free_for_type(&name, create.name.span) {
            return;
        }
        create.collation.iter().for_each(|collation| self.check_collation(collation));
        let domain = Domain {
            base: self.column_type(&create.base),
            default: create.default.clone(),
            not_null: create.not_null.is_some(),
            constraints: Vec::new(),
        };
        let id = self.insert_type(name.clone(), TypeDefinition::Domain(domain));
        for constraint in &create.constraints {
            self.add_domain_constraint(id, &name, constraint, true);
        }
        self.link_type(id);
    }

    fn add_domain_constraint(&mut self, id: TypeId, domain: &QualifiedName, added: &Constraint, born: bool) {
        let ConstraintKind::Check(expression) = &added.kind else {
            return self.change_domain(id, |it| it.not_null |= matches!(added.kind, ConstraintKind::NotNull(_)));
        };
        let name = added.name.as_ref().map(|name| name.name.clone()).unwrap_or_else(|| {
            let none = BTreeSet::new();
            self.schema.choose_constraint_name(&domain.name, None, "check", &domain.schema, &none)
        });
        if let Some(written) = &added.name
            && self.domain(id).is_some_and(|it| it.constraints.iter().any(|other| other.name == name))
        {
            let message =
                format!("constraint \"{}\" for domain \"{}\" already exists", name.as_str(), domain.name.as_str());
            return self.problem(ProblemKind::Duplicate, written.span, domain, message);
        }
        self.schema.count_domain_constraint(domain, &name);
        let made = DomainConstraint { name, expression: expression.clone(), validated: born || !added.not_valid };
        self.change_domain(id, |it| it.constraints.push(made));
    }

    fn domain(&self, id: TypeId) -> Option<&Domain> {
        match &self.schema.types.get(&id)?.definition {
            TypeDefinition::Domain(domain) => Some(domain),
            _ => None,
        }
    }

    fn change_domain(&mut self, id: TypeId, change: impl FnOnce(&mut Domain)) {
        if let Some(TypeDefinition::Domain(domain)) = self.schema.edit_type(id).map(|found| &mut found.definition) {
            change(domain);
        }
    }

    pub(super) fn alter_domain(&mut self, alter: &AlterDomain) {
        let Some(id) = self.type_named(&alter.name) else { return };
        let Some(name) = self.schema.types.get(&id).map(|found| found.name.clone()) else { return };
        if self.domain(id).is_none() {
            return self.invalid(alter.name.span, &alter.name, format!("{} is not a domain", alter.name));
        }
        match &alter.action {
            AlterDomainAction::SetDefault(default) => self.change_domain(id, |it| it.default = Some(default.clone())),
            AlterDomainAction::DropDefault => self.change_domain(id, |it| it.default = None),
            AlterDomainAction::SetNotNull => self.change_domain(id, |it| it.not_null = true),
            AlterDomainAction::DropNotNull => self.change_domain(id, |it| it.not_null = false),
            AlterDomainAction::AddConstraint(added) => self.add_domain_constraint(id, &name, added, false),
            AlterDomainAction::DropConstraint { constraint, if_exists, .. } => {
                if self.has_domain_constraint(id, &name, constraint, *if_exists) {
                    self.schema.discount_domain_constraint(&name, &constraint.name);
                    self.change_domain(id, |it| it.constraints.retain(|other| other.name != constraint.name));
                }
            }
            AlterDomainAction::ValidateConstraint { constraint } => {
                self.has_domain_constraint(id, &name, constraint, false);
                self.change_domain(id, |it| {
                    let found = it.constraints.iter_mut().filter(|other| other.name == constraint.name);
                    found.for_each(|it| it.validated = true);
                });
            }
            AlterDomainAction::RenameConstraint { constraint, new_name } => {
                if self.has_domain_constraint(id, &name, constraint, false) {
                    self.schema.discount_domain_constraint(&name, &constraint.name);
                    self.schema.count_domain_constraint(&name, &new_name.name);
                    self.change_domain(id, |it| {
                        let found = it.constraints.iter_mut().filter(|other| other.name == constraint.name);
                        found.for_each(|it| it.name = new_name.name.clone());
                    });
                }
            }
        }
        self.link_type(id);
    }

    /// Whether a domain has the constraint; says so when it does not. 17 and later name NOT NULL too: those names are not kept.
    fn has_domain_constraint(&mut self, id: TypeId, domain: &QualifiedName, constraint: &Ident, quiet: bool) -> bool {
        let found = self.domain(id).is_some_and(|it| it.constraints.iter().any(|other| other.name == constraint.name));
        let not_null = self.version.at_least(17) && self.domain(id).is_some_and(|it| it.not_null);
        if !found && !quiet && !not_null {
            let (name, of) = (constraint.name.as_str(), domain.name.as_str());
            let message = format!("constraint \"{name}\" of domain \"{of}\" does not exist");
            self.missing(constraint.span, domain, message);
        }
        found
    }
}
