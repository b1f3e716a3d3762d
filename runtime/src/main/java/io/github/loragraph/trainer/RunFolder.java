package io.github.loragraph.trainer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.evaluation.Report;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The folder of one training run: {@code config.yaml} (everything that decided it), {@code
 * metrics.jsonl} (a line for each logged step and each evaluation) and, at the end, {@code
 * model.onnx}. While the run goes on it is a folder of another name beside its place, so that a run
 * folder always is that of a whole run.
 */
public final class RunFolder implements TrainingListener, AutoCloseable {
  /** The trained model in a run folder. */
  public static final String MODEL = "model.onnx";

  private static final String CONFIG = "config.yaml";
  private static final String METRICS = "metrics.jsonl";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ObjectMapper YAML =
      new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER));

  private final Path target;
  private final boolean replace;
  private final Path unfinished;
  private final BufferedWriter metrics;
  private final Thread cleanUp = new Thread(this::deleteUnfinished, "clean up");
  private boolean finished;

  private RunFolder(Path target, boolean replace, Path unfinished) throws IOException {
    this.target = target;
    this.replace = replace;
    this.unfinished = unfinished;
    this.metrics = Files.newBufferedWriter(unfinished.resolve(METRICS));
    // A run that is interrupted leaves nothing behind either.
    Runtime.getRuntime().addShutdownHook(cleanUp);
  }

  /**
   * Refuses a place that is taken; to be called before long work.
   *
   * @throws LoraGraphException if the folder exists and may not be replaced, or is no run folder
   */
  public static void checkTarget(Path target, boolean replace) {
    if (!Files.exists(target)) {
      return;
    }
    if (!Files.isDirectory(target)) {
      throw new LoraGraphException(target + " is a file: name a folder for the run with -o");
    }
    boolean empty;
    try (Stream<Path> files = Files.list(target)) {
      empty = files.findAny().isEmpty();
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + target + ": " + AtomicFile.reason(e), e);
    }
    if (empty) {
      return;
    }
    if (!replace) {
      throw new LoraGraphException(
          target + " exists already: choose another folder with -o, or replace it with --force");
    }
    if (!Files.exists(target.resolve(CONFIG)) || !Files.exists(target.resolve(METRICS))) {
      throw new LoraGraphException(
          target + " is not the folder of a run, so it is not replaced: choose another with -o");
    }
  }

  /**
   * Begins a run.
   *
   * @param config everything that decides the run, by name
   */
  public static RunFolder begin(Path target, boolean replace, Map<String, ?> config) {
    checkTarget(target, replace);
    try {
      Path parent = target.toAbsolutePath().normalize().getParent();
      Files.createDirectories(parent);
      Path unfinished = Files.createTempDirectory(parent, "." + target.getFileName() + "-");
      unfinished.toFile().setReadable(true, false);
      unfinished.toFile().setExecutable(true, false);
      RunFolder folder = new RunFolder(target, replace, unfinished);
      Files.writeString(
          unfinished.resolve(CONFIG), YAML.writeValueAsString(config), StandardCharsets.UTF_8);
      return folder;
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + target + ": " + AtomicFile.reason(e), e);
    }
  }

  @Override
  public void log(StepRecord r) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", r.step());
    line.put("epoch", r.epoch());
    line.put("loss", r.loss());
    line.put("learningRate", r.learningRate());
    if (!Double.isNaN(r.gradientNorm())) {
      line.put("gradientNorm", r.gradientNorm());
    }
    line.put("samplesPerSecond", r.samplesPerSecond());
    append(line);
  }

  @Override
  public void evaluated(long step, Report report) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step);
    report
        .figures()
        .forEach(
            (name, value) ->
                line.put(
                    "eval" + Character.toUpperCase(name.charAt(0)) + name.substring(1), value));
    append(line);
  }

  private void append(Map<String, Object> line) {
    try {
      metrics.write(JSON.writeValueAsString(line));
      metrics.write('\n');
      metrics.flush();
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot write " + METRICS + " of " + target + ": " + AtomicFile.reason(e), e);
    }
  }

  /** The folder as long as the run goes on: other files of the run may be put there. */
  public Path unfinished() {
    return unfinished;
  }

  /** Writes the trained model and gives the folder its name. */
  public synchronized void finish(OnnxModel trained) {
    try {
      metrics.close();
      OnnxFile.write(trained, unfinished.resolve(MODEL), false);
      if (Files.exists(target)) {
        checkTarget(target, replace);
        delete(target);
      }
      Files.move(unfinished, target);
      finished = true;
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + target + ": " + AtomicFile.reason(e), e);
    }
  }

  /** Takes the unfinished folder away, unless the run is finished. */
  @Override
  public void close() {
    try {
      metrics.close();
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot write " + METRICS + " of " + target + ": " + AtomicFile.reason(e), e);
    } finally {
      deleteUnfinished();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(cleanUp);
    } catch (IllegalStateException e) {
      // The process is ending, and the hook is at work.
    }
  }

  private synchronized void deleteUnfinished() {
    if (!finished && Files.exists(unfinished)) {
      try {
        delete(unfinished);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(folder)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : paths) {
      Files.delete(path);
    }
  }
}
