package io.github.loragraph.search;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.loragraph.data.DataFileWriter;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.experiment.ExperimentRunner;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.ProcessLock;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The folder of a search: {@code search.yaml} (what it is), {@code parts.jsonl} (what was
 * measured), {@code runs/} and {@code models/} (trials and what they begin with); at its end {@code
 * trials.csv}, {@code best.yaml} and {@code compare.html}. One process at a time searches in it.
 * Who opens it closes it.
 */
public final class SearchFolder implements AutoCloseable {
  static final String SEARCH = "search.yaml";
  static final String TRIALS = "trials.csv";
  static final String BEST = "best.yaml";
  static final String COMPARISON = "compare.html";
  private static final String RUNS = "runs";
  private static final String THREADS = "threads";

  /** Of what is read, by its names. */
  static final String CHECKSUMS = "checksums";

  private static final String MODELS = "models";
  private static final String LOCK = ".lock";

  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .build();

  private final Path folder;
  private final ProcessLock lock;
  private final int threads;

  private SearchFolder(Path folder, ProcessLock lock, int threads) {
    this.folder = folder;
    this.lock = lock;
    this.threads = threads;
  }

  /**
   * Refuses a folder that has something else in it; to be called before long work.
   *
   * @param search what is to be searched
   * @param replace whether another search may be replaced
   * @throws LoraGraphException if it is so
   */
  static void check(Path folder, Map<String, Object> search, boolean replace) {
    if (!Files.exists(folder)) {
      return;
    }
    if (!Files.isDirectory(folder)) {
      throw new LoraGraphException(folder + " is a file", Remedy.CHOOSE_FOLDER);
    }
    if (Files.exists(folder.resolve(ExperimentRunner.STATE))) {
      throw new LoraGraphException(
          folder + " is the folder of an experiment, and no search", Remedy.CHOOSE_FOLDER);
    }
    if (ProcessLock.isLocked(folder.resolve(LOCK))) {
      throw inUse(folder);
    }
    Path file = folder.resolve(SEARCH);
    if (!Files.exists(file)) {
      if (!isEmpty(folder)) {
        throw new LoraGraphException(
            folder + " has other files, and no search", Remedy.CHOOSE_FOLDER);
      }
    } else if (!replace) {
      difference(file, search)
          .ifPresent(
              key -> {
                throw new LoraGraphException(
                    "%s is of another search than the one that is asked for now: %s"
                        .formatted(file, key),
                    Remedy.REPLACE_FOLDER);
              });
    }
  }

  private static LoraGraphException inUse(Path folder) {
    return new LoraGraphException(
        "another process searches in %s: wait until it is done, or stop it".formatted(folder));
  }

  private static boolean isEmpty(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.allMatch(
          file -> file.getFileName().toString().equals(LOCK) || StagedFiles.isPartOf(file, SEARCH));
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  /** What is another there, in a few words; empty where nothing is. */
  private static Optional<String> difference(Path file, Map<String, Object> search) {
    try {
      JsonNode there = YAML.readTree(file.toFile());
      JsonNode here = YAML.readTree(YAML.writeValueAsBytes(search));
      return difference(there, here, Set.of(THREADS, CHECKSUMS))
          .map(key -> "its %s was %s and is %s".formatted(key, said(there, key), said(here, key)))
          .or(
              () ->
                  difference(there.path(CHECKSUMS), here.path(CHECKSUMS), Set.of())
                      .map("the content of its %s has changed"::formatted));
    } catch (IOException e) {
      return Optional.of("it cannot be read");
    }
  }

  /** The first name under which there is something else, or in one of them nothing. */
  private static Optional<String> difference(JsonNode there, JsonNode here, Set<String> but) {
    Set<String> names = new LinkedHashSet<>();
    here.fieldNames().forEachRemaining(names::add);
    there.fieldNames().forEachRemaining(names::add);
    return names.stream()
        .filter(name -> !but.contains(name) && !there.path(name).equals(here.path(name)))
        .findFirst();
  }

  private static String said(JsonNode search, String key) {
    return search.has(key) ? search.path(key).toString() : "not given";
  }

  /**
   * Begins a search in a folder, or goes on with one.
   *
   * @param threads of each training, where it begins; one that goes on has those from then
   * @throws LoraGraphException as {@link #check} does, or if it cannot be written
   */
  static SearchFolder open(Path folder, Map<String, Object> search, int threads, boolean replace) {
    check(folder, search, replace);
    try {
      Files.createDirectories(folder);
      ProcessLock lock = ProcessLock.tryLock(folder.resolve(LOCK)).orElseThrow(() -> inUse(folder));
      try {
        Path file = folder.resolve(SEARCH);
        if (replace && Files.exists(file) && difference(file, search).isPresent()) {
          clear(folder);
        }
        if (!Files.exists(file)) {
          Map<String, Object> whole = new LinkedHashMap<>(search);
          whole.put(THREADS, threads);
          write(file, YAML.writeValueAsBytes(whole));
        }
        int before = YAML.readTree(file.toFile()).path(THREADS).asInt(threads);
        return new SearchFolder(folder, lock, before);
      } catch (IOException | RuntimeException e) {
        lock.close();
        throw e;
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot search in " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  /** What a search has written, its description last: until then it is one that can be replaced. */
  private static void clear(Path folder) throws IOException {
    if (Files.isDirectory(folder.resolve(RUNS))) {
      try (Stream<Path> runs = Files.list(folder.resolve(RUNS))) {
        runs.filter(RunFolder::isInUse)
            .findFirst()
            .ifPresent(
                run -> {
                  throw new LoraGraphException(
                      "a process of a search that was killed is training in %s still: wait until it is done, or stop it"
                          .formatted(run));
                });
      }
    }
    for (String name :
        List.of(COMPARISON, BEST, TRIALS, SearchJournal.FILE, RUNS, MODELS, SEARCH)) {
      delete(folder.resolve(name));
    }
  }

  /** Deletes a file or folder with all that is in it. */
  static void delete(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  Path path() {
    return folder;
  }

  /** Of each training. */
  int threads() {
    return threads;
  }

  /** Writes {@link #TRIALS}. */
  void writeTrials(SearchSpace space, List<TrialRow> rows) {
    JsonNodeFactory json = JsonNodeFactory.instance;
    Path file = folder.resolve(TRIALS);
    AtomicFile.write(
        file,
        true,
        out -> {
          try (DataFileWriter writer = new DataFileWriter(file, out)) {
            for (TrialRow row : rows) {
              Map<String, JsonNode> cells = new LinkedHashMap<>();
              cells.put("trial", json.numberNode(row.number()));
              cells.put("status", json.textNode(row.status().toString()));
              for (Parameter parameter : space.parameters()) {
                Object value = row.parameters().get(parameter.name());
                cells.put(
                    parameter.name(), value == null ? json.nullNode() : YAML.valueToTree(value));
              }
              cells.put(
                  "objective",
                  Double.isNaN(row.objective())
                      ? json.nullNode()
                      : json.numberNode(row.objective()));
              cells.put("steps", json.numberNode(row.step()));
              cells.put(
                  "seconds", json.textNode(String.format(Locale.ROOT, "%.1f", row.seconds())));
              cells.put(
                  "folder",
                  json.textNode(Files.exists(folder.resolve(row.folder())) ? row.folder() : ""));
              writer.write(cells);
            }
          }
        });
  }

  /**
   * Writes {@link #BEST}: the settings of the best trial, as a training takes them, with the
   * threads that it had: others may change its last digits.
   *
   * @param run the trial's run folder, in this one: its settings lie beside it
   * @param comment a line on top
   */
  Path writeBest(String run, String comment) {
    Map<String, Object> settings = RunConfiguration.entries(folder.resolve(run + ".yaml"));
    Path config = folder.resolve(run).resolve(RunFolder.CONFIG);
    settings.put(THREADS, RunConfiguration.entries(config).get(THREADS));
    Path file = folder.resolve(BEST);
    AtomicFile.write(
        file,
        true,
        out -> {
          out.write(("# " + comment + "\n").getBytes(StandardCharsets.UTF_8));
          out.write(RunConfiguration.yaml(settings));
        });
    return file;
  }

  /**
   * Refuses the best settings of a search that has none yet, since they are written at its end.
   *
   * @param file that is to be read
   * @throws LoraGraphException if it is not there, and is that of a search
   */
  public static void requireEnded(Path file) {
    Path folder = AtomicFile.folderOf(file);
    if (file.endsWith(BEST)
        && !Files.exists(file)
        && Files.exists(folder.resolve(SEARCH))
        && Stream.of(SearchJournal.FILE, TRIALS).map(folder::resolve).anyMatch(Files::exists)) {
      throw new LoraGraphException(
          "%s is not there yet: it is written where a search ends, and this one has not"
              .formatted(file),
          Remedy.CONTINUE_SEARCH.with(folder));
    }
  }

  private static void write(Path file, byte[] content) {
    AtomicFile.write(file, true, out -> out.write(content));
  }

  /** The bytes that a file or folder takes. */
  static long size(Path path) throws IOException {
    if (!Files.exists(path)) {
      return 0;
    }
    try (Stream<Path> files = Files.walk(path)) {
      long sum = 0;
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        sum += Files.size(file);
      }
      return sum;
    }
  }

  @Override
  public void close() {
    lock.close();
  }
}
