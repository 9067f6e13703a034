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
            not_null_name: None,
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
            if matches!(added.kind, ConstraintKind::NotNull(_)) {
                self.set_domain_not_null(id, domain, added.name.as_ref());
            }
            return;
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

    fn set_domain_not_null(&mut self, id: TypeId, domain: &QualifiedName, written: Option<&Ident>) {
        if self.domain(id).is_some_and(|it| it.not_null) {
            return;
        }
        let name = written.map(|it| it.name.clone()).unwrap_or_else(|| {
            self.schema.choose_constraint_name(&domain.name, None, "not_null", &domain.schema, &BTreeSet::new())
        });
        self.change_domain(id, |it| {
            it.not_null = true;
            it.not_null_name = Some(name);
        });
    }

    fn drop_domain_not_null(&mut self, id: TypeId) {
        self.change_domain(id, |it| {
            it.not_null = false;
            it.not_null_name = None;
        });
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
            AlterDomainAction::SetNotNull => self.set_domain_not_null(id, &name, None),
            AlterDomainAction::DropNotNull => self.drop_domain_not_null(id),
            AlterDomainAction::AddConstraint(added) => self.add_domain_constraint(id, &name, added, false),
            AlterDomainAction::DropConstraint { constraint, if_exists, .. } => {
                if self.is_domain_not_null(id, constraint) {
                    self.drop_domain_not_null(id);
                } else if self.has_domain_constraint(id, &name, constraint, *if_exists) {
                    self.schema.discount_domain_constraint(&name, &constraint.name);
                    self.change_domain(id, |it| it.constraints.retain(|other| other.name != constraint.name));
                }
            }
            AlterDomainAction::ValidateConstraint { constraint } => {
                if self.is_domain_not_null(id, constraint) {
                    let message = format!(
                        "constraint \"{}\" of domain \"{}\" is not a check constraint",
                        constraint.name, name.name
                    );
                    self.invalid(constraint.span, &alter.name, message);
                } else {
                    self.has_domain_constraint(id, &name, constraint, false);
                }
                self.change_domain(id, |it| {
                    let found = it.constraints.iter_mut().filter(|other| other.name == constraint.name);
                    found.for_each(|it| it.validated = true);
                });
            }
            AlterDomainAction::RenameConstraint { constraint, new_name } => {
                if self.is_domain_not_null(id, constraint) {
                    self.change_domain(id, |it| it.not_null_name = Some(new_name.name.clone()));
                } else if self.has_domain_constraint(id, &name, constraint, false) {
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

    /// Whether the name is that of its NOT NULL, which has one from 17 on.
    fn is_domain_not_null(&self, id: TypeId, constraint: &Ident) -> bool {
        let named = self.domain(id).is_some_and(|it| it.not_null_name.as_ref() == Some(&constraint.name));
        named && self.version.at_least(17)
    }

    /// Whether a domain has the constraint; says so when it does not. The name of a NOT NULL may be unknown.
    fn has_domain_constraint(&mut self, id: TypeId, domain: &QualifiedName, constraint: &Ident, quiet: bool) -> bool {
        let found = self.domain(id).is_some_and(|it| it.constraints.iter().any(|other| other.name == constraint.name));
        let unnamed = self.domain(id).is_some_and(|it| it.not_null && it.not_null_name.is_none());
        let unknown = self.version.at_least(17) && unnamed;
        if !(found || quiet || unknown) {
            let (name, of) = (constraint.name.as_str(), domain.name.as_str());
            let message = format!("constraint \"{name}\" of domain \"{of}\" does not exist");
            self.missing(constraint.span, domain, message);
        }
        found
    }
}
