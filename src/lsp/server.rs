//! What the server knows: open documents and the projects around them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsp_server::{ErrorCode, Notification, Request};
use lsp_types::{
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, FileChangeType, Position, PublishDiagnosticsParams, Uri,
};
use pgassay::config::FILE_NAME;
use pgassay::source::FileId;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::place::{Encoding, Lines, changed, judged_offset, path_of};
use super::transport::{log, send};
use super::{Opener, Refused, actions, answers, complete, diagnostics, navigate};
use crate::project::{At, Judged, Project, Setup, full};

pub struct Server {
    opener: Opener,
    pub encoding: Encoding,
    /// The editor asks for a reason by a command of its own before it writes an allow comment.
    pub asks_reason: bool,
    /// The editor can make files.
    pub makes_files: bool,
    pub was_shut_down: bool,
    folders: Vec<PathBuf>,
    documents: HashMap<Uri, Document>,
    projects: HashMap<PathBuf, Project>,
    /// Documents whose diagnostics are not those of their text.
    stale: BTreeSet<String>,
    /// Those that come after a changed one in its history: they can wait until nothing is typed.
    later: BTreeSet<String>,
    /// Folders whose project is still to be read and replayed, before a file of it is opened or asked about.
    unprepared: Vec<PathBuf>,
}

/// An open document.
pub struct Document {
    pub uri: Uri,
    /// Without links; none for what is no file.
    pub path: Option<PathBuf>,
    pub text: Arc<str>,
    version: i32,
    judged: Option<Judged>,
}

/// A document with all that is known of it, for an answer.
pub struct View<'s> {
    pub document: &'s Document,
    pub project: &'s Project,
    pub judged: &'s Judged,
    pub encoding: Encoding,
}

impl View<'_> {
    pub fn lines(&self) -> Lines<'_> {
        Lines::of(&self.document.text, self.encoding)
    }

    /// The statement at a place, and the offset in its file.
    pub fn at(&self, position: Position) -> Option<(&At, FileId, u32)> {
        let byte = self.lines().offset(position);
        self.judged.statements.iter().find_map(|at| {
            let span = at.explanation.span;
            let file = self.project.sources.file(span.file);
            let range = file.original_range(span);
            let inside = range.start <= byte && byte <= range.end;
            inside.then(|| (at, span.file, judged_offset(file, span.file, byte)))
        })
    }
}

pub fn parameters<T: DeserializeOwned>(value: Value) -> Result<T, Refused> {
    serde_json::from_value(value)
        .map_err(|error| Refused { code: ErrorCode::InvalidParams, message: error.to_string() })
}

pub fn value(answer: impl serde::Serialize) -> Result<Value, Refused> {
    serde_json::to_value(answer).map_err(|error| Refused { code: ErrorCode::InternalError, message: error.to_string() })
}

impl Server {
    pub fn new(opener: Opener) -> Server {
        Server {
            opener,
            encoding: Encoding::Utf16,
            asks_reason: false,
            makes_files: false,
            was_shut_down: false,
            folders: Vec::new(),
            documents: HashMap::new(),
            projects: HashMap::new(),
            stale: BTreeSet::new(),
            later: BTreeSet::new(),
            unprepared: Vec::new(),
        }
    }

    pub fn answer(&mut self, method: &str, params: Value) -> Result<Value, Refused> {
        match method {
            "initialize" => self.initialize(&params),
            "textDocument/hover" => answers::hover(self, parameters(params)?),
            "textDocument/inlayHint" => answers::hints(self, parameters(params)?),
            "textDocument/documentSymbol" => answers::symbols(self, parameters(params)?),
            "textDocument/codeAction" => actions::actions(self, parameters(params)?),
            "textDocument/definition" => navigate::definition(self, parameters(params)?),
            "textDocument/references" => navigate::references(self, parameters(params)?),
            "textDocument/completion" => complete::complete(self, parameters(params)?),
            _ => Err(Refused { code: ErrorCode::MethodNotFound, message: format!("{method} is not known here") }),
        }
    }

    fn initialize(&mut self, params: &Value) -> Result<Value, Refused> {
        let capability = |path: &str| params.pointer(&format!("/capabilities/{path}"));
        let offers = |path: &str, wanted: &str| {
            capability(path).and_then(Value::as_array).is_some_and(|all| all.iter().any(|one| one == wanted))
        };
        if offers("general/positionEncodings", "utf-8") {
            self.encoding = Encoding::Utf8;
        }
        self.makes_files = offers("workspace/workspaceEdit/resourceOperations", "create")
            && capability("workspace/workspaceEdit/documentChanges") == Some(&Value::Bool(true));
        self.asks_reason = params.pointer("/initializationOptions/asksReason") == Some(&Value::Bool(true));
        let uris = params.pointer("/workspaceFolders").and_then(Value::as_array).cloned().unwrap_or_default();
        let uris = uris.iter().filter_map(|folder| folder.get("uri")).chain(params.get("rootUri"));
        let paths =
            uris.filter_map(|uri| serde_json::from_value::<Uri>(uri.clone()).ok()).filter_map(|uri| path_of(&uri));
        self.folders = paths.map(|path| full(&path)).collect();
        let encoding = match self.encoding {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16 => "utf-16",
        };
        Ok(json!({
            "capabilities": {
                "positionEncoding": encoding,
                "textDocumentSync": { "openClose": true, "change": 2, "save": true },
                "hoverProvider": true,
                "definitionProvider": true,
                "referencesProvider": true,
                "documentSymbolProvider": true,
                "inlayHintProvider": true,
                "codeActionProvider": { "codeActionKinds": ["quickfix"] },
                "completionProvider": { "triggerCharacters": ["."] },
            },
            "serverInfo": { "name": "pgassay", "version": env!("CARGO_PKG_VERSION") },
        }))
    }

    pub fn note(&mut self, method: &str, params: Value) -> Result<(), Refused> {
        match method {
            "initialized" => {
                self.watch();
                self.unprepared = self.folders.clone();
            }
            "textDocument/didOpen" => self.open(parameters(params)?),
            "textDocument/didChange" => self.change(parameters(params)?)?,
            "textDocument/didClose" => self.close(parameters(params)?),
            "textDocument/didSave" => self.save(&parameters::<DidSaveTextDocumentParams>(params)?.text_document.uri),
            "workspace/didChangeWatchedFiles" => self.changed_on_disk(parameters(params)?),
            _ => {}
        }
        Ok(())
    }

    /// Asks the editor to say when files change on the disk.
    fn watch(&self) {
        let watchers: Vec<Value> = ["**/*.sql", "**/pgassay.toml"].map(|glob| json!({ "globPattern": glob })).into();
        let registration = json!({ "registrations": [{
            "id": "pgassay-files",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": { "watchers": watchers },
        }]});
        send(Request::new("pgassay-watch".to_owned().into(), "client/registerCapability".to_owned(), registration));
    }

    fn open(&mut self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        let path = path_of(&document.uri).map(|path| full(&path));
        let text: Arc<str> = document.text.into();
        let uri = document.uri.clone();
        let opened = Document { uri: uri.clone(), path: path.clone(), text, version: document.version, judged: None };
        self.documents.insert(uri.clone(), opened);
        if let Some(path) = path {
            let root = self.root_of(&path);
            let is_known = self.project(&root).has(&path);
            if !is_known && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql")) {
                // Perhaps it is new since the folder was read.
                self.projects.remove(&root);
                self.project(&root);
            }
        }
        self.take_text(&uri);
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) -> Result<(), Refused> {
        let uri = params.text_document.uri;
        let encoding = self.encoding;
        let Some(document) = self.documents.get_mut(&uri) else {
            let message = format!("{} is not open", uri.as_str());
            return Err(Refused { code: ErrorCode::InvalidParams, message });
        };
        document.version = params.text_document.version;
        for change in params.content_changes {
            document.text = changed(&document.text, change, encoding).into();
        }
        self.take_text(&uri);
        Ok(())
    }

    fn close(&mut self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        let Some(document) = self.documents.remove(&uri) else { return };
        self.stale.remove(uri.as_str());
        publish(uri, Vec::new(), None);
        if let Some(path) = document.path {
            let root = self.root_of(&path);
            let saved = std::fs::read_to_string(&path).ok();
            let project = self.project(&root);
            let text = saved.map(|text| text.trim_start_matches('\u{feff}').into());
            let is_back = text.is_some_and(|text: Arc<str>| project.change(&path, text));
            if !is_back && project.has(&path) {
                self.projects.remove(&root);
            }
            self.forget_after(&path);
        }
    }

    fn save(&mut self, uri: &Uri) {
        let Some(path) = path_of(uri).map(|path| full(&path)) else { return };
        let is_config = path.file_name().is_some_and(|name| name == FILE_NAME);
        let root = self.root_of(&path);
        if is_config || !self.project(&root).has(&path) {
            self.read_again();
        }
    }

    /// Files changed on the disk. Those that are open are known by their texts, and a migration by its own text; all else may be anything.
    fn changed_on_disk(&mut self, params: DidChangeWatchedFilesParams) {
        for event in params.changes {
            if self.documents.contains_key(&event.uri) && event.typ == FileChangeType::CHANGED {
                continue;
            }
            let path = path_of(&event.uri).filter(|_| event.typ == FileChangeType::CHANGED).map(|path| full(&path));
            let text = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
            let (Some(path), Some(text)) = (path, text) else { return self.read_again() };
            let root = self.root_of(&path);
            let text = text.trim_start_matches('\u{feff}').into();
            if !self.projects.get_mut(&root).is_some_and(|project| project.change(&path, text)) {
                return self.read_again();
            }
            self.forget_after(&path);
        }
    }

    /// Everything is read again when it is next asked for.
    fn read_again(&mut self) {
        self.projects.clear();
        self.unprepared = self.folders.clone();
        for document in self.documents.values_mut() {
            document.judged = None;
            self.stale.insert(document.uri.as_str().to_owned());
        }
    }

    /// The project takes the text of a document; what comes after it in its history is no longer judged on what is there.
    fn take_text(&mut self, uri: &Uri) {
        let Some(document) = self.documents.get_mut(uri) else { return };
        document.judged = None;
        self.stale.insert(uri.as_str().to_owned());
        let (path, text) = (document.path.clone(), document.text.clone());
        if let Some(path) = path {
            let root = self.root_of(&path);
            self.project(&root).change(&path, text);
            self.forget_after(&path);
        }
    }

    fn forget_after(&mut self, path: &Path) {
        let root = self.root_of(path);
        let Some(project) = self.projects.get(&root) else { return };
        for document in self.documents.values_mut() {
            if document.path.as_ref().is_some_and(|other| project.is_before(path, other)) {
                document.judged = None;
                self.later.insert(document.uri.as_str().to_owned());
            }
        }
    }

    /// The folder whose project a file is of: the closest with a configuration file, else the repository, else the editor's folder.
    fn root_of(&self, path: &Path) -> PathBuf {
        let above = || path.ancestors().skip(1);
        let with = |name: &str| above().find(|folder| folder.join(name).exists()).map(Path::to_owned);
        let repository = with(".git");
        let config = with(FILE_NAME)
            .filter(|config| repository.as_ref().is_none_or(|repository| config.starts_with(repository)));
        let folder =
            || self.folders.iter().filter(|folder| path.starts_with(folder)).max_by_key(|it| it.as_os_str().len());
        let parent = || path.parent().unwrap_or(Path::new("/")).to_owned();
        config.or(repository).or_else(|| folder().cloned()).unwrap_or_else(parent)
    }

    fn project(&mut self, root: &Path) -> &mut Project {
        if !self.projects.contains_key(root) {
            let texts =
                self.documents.values().filter_map(|document| Some((document.path.clone()?, document.text.clone())));
            let texts: HashMap<PathBuf, Arc<str>> = texts.collect();
            let setup = std::env::set_current_dir(root).map_err(anyhow::Error::from).and_then(|()| (self.opener)(root));
            let setup = setup.unwrap_or_else(|error| {
                log(&format!("pgassay: {error:#}"));
                Setup { root: root.to_owned(), ..Setup::default() }
            });
            let project = Project::open(setup, &texts);
            for trouble in &project.troubles {
                log(&format!("pgassay: {trouble}"));
            }
            self.projects.insert(root.to_owned(), project);
        }
        // It is there since the lines above.
        self.projects.entry(root.to_owned()).or_insert_with(|| Project::open(Setup::default(), &HashMap::new()))
    }

    fn judge(&mut self, uri: &Uri) {
        let Some(document) = self.documents.get(uri) else { return };
        if document.judged.is_some() {
            return;
        }
        let (path, text) = (document.path.clone(), document.text.clone());
        let root = match &path {
            Some(path) => self.root_of(path),
            None => self.folders.first().cloned().unwrap_or_else(|| PathBuf::from("/")),
        };
        let project = self.project(&root);
        let judged = path.as_deref().and_then(|path| project.judge_file(path));
        let judged = match (judged, &path) {
            (Some(judged), _) => judged,
            // A scratch text is meant for the project; a file elsewhere is not one of its migrations.
            (None, None) => project.judge_text(uri.as_str(), &text),
            (None, Some(path)) if project.is_left_out(path) => Judged::nothing(project.version()),
            (None, Some(_)) => project.judge_alone(uri.as_str(), &text),
        };
        if let Some(document) = self.documents.get_mut(uri) {
            document.judged = Some(judged);
        }
    }

    /// The document with its project and what was found; none for one that is not open.
    pub fn view(&mut self, uri: &Uri) -> Option<View<'_>> {
        self.judge(uri);
        let document = self.documents.get(uri)?;
        let root = match &document.path {
            Some(path) => self.root_of(path),
            None => self.folders.first().cloned().unwrap_or_else(|| PathBuf::from("/")),
        };
        let (project, judged) = (self.projects.get(&root)?, document.judged.as_ref()?);
        Some(View { document, project, judged, encoding: self.encoding })
    }

    /// The project of a document, to be asked more.
    pub fn project_of(&mut self, uri: &Uri) -> Option<(&mut Project, PathBuf)> {
        let path = self.documents.get(uri)?.path.clone()?;
        let root = self.root_of(&path);
        Some((self.project(&root), path))
    }

    /// Reads the project of an editor's folder, or replays a part of its history: the first file that is opened then finds it there. False
    /// where nothing is left to do.
    pub fn prepare(&mut self) -> bool {
        let Some(folder) = self.unprepared.pop() else { return false };
        let root = self.root_of(&folder.join(FILE_NAME));
        // Somebody's home is no project to search.
        if !root.join(FILE_NAME).exists() && !root.join(".git").exists() {
            return true;
        }
        let is_new = !self.projects.contains_key(&root);
        if self.project(&root).advance() || is_new {
            self.unprepared.push(folder);
        }
        true
    }

    /// Sends the diagnostics of one document that wants them; false where none does.
    pub fn publish_next(&mut self) -> bool {
        let Some(next) = self.stale.pop_first() else { return false };
        self.later.remove(&next);
        self.publish_one(&next);
        true
    }

    pub fn has_later(&self) -> bool {
        !self.later.is_empty()
    }

    /// Sends the diagnostics of one document that comes after a changed one.
    pub fn publish_later(&mut self) {
        if let Some(next) = self.later.pop_first() {
            self.publish_one(&next);
        }
    }

    fn publish_one(&mut self, wanted: &str) {
        let Some(uri) = self.documents.keys().find(|uri| uri.as_str() == wanted).cloned() else { return };
        if let Some(view) = self.view(&uri) {
            let found = diagnostics::diagnostics(&view);
            publish(uri, found, Some(view.document.version));
        }
    }
}

fn publish(uri: Uri, diagnostics: Vec<lsp_types::Diagnostic>, version: Option<i32>) {
    let params = PublishDiagnosticsParams { uri, diagnostics, version };
    send(Notification::new("textDocument/publishDiagnostics".to_owned(), params));
}
