package io.github.loragraph.sagemaker;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.fixtures.Fixtures;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A made-up {@code /opt/ml} with a small BERT, and rows of several lengths to train it on. */
final class Container {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> WORDS =
      List.of("good", "bad", "film", "plot", "the", "a", "very", "not", "actors");
  private static final int ROWS = 22;

  final Path base;

  /** Of the processes that train. */
  List<String> javaOptions = List.of();

  private Container(Path base) {
    this.base = base;
  }

  /** Folders that need not be there. */
  static Container of(Path base) {
    return new Container(base);
  }

  /** How a job ended. */
  record Ended(int code, String out, String err) {
    boolean says(String text) {
      return out.contains(text) || err.contains(text);
    }
  }

  /** A tree with all that the platform makes, channels train, validation and model. */
  static Container in(Path base) throws IOException {
    Container container = new Container(base);
    for (String folder :
        List.of("input/config", "model", "output/data", "checkpoints", "input/data/train")) {
      Files.createDirectories(base.resolve(folder));
    }
    container.writeModel(container.folder("input/data/model"));
    container.write("input/data/train/train.tsv", rows(ROWS));
    container.folder("input/data/validation");
    container.write("input/data/validation/dev.tsv", rows(7));
    container.channels(Map.of("train", "File", "validation", "FastFile", "model", "File"));
    container.write(
        "input/config/resourceconfig.json",
        "{\"current_host\": \"algo-1\", \"hosts\": [\"algo-1\"], \"network_interface_name\": \"eth0\"}");
    return container;
  }

  Path folder(String name) throws IOException {
    return Files.createDirectories(base.resolve(name));
  }

  Path write(String name, String content) throws IOException {
    return Files.writeString(base.resolve(name), content);
  }

  void channels(Map<String, String> modes) throws IOException {
    Map<String, Object> channels = new LinkedHashMap<>();
    modes.forEach(
        (name, mode) ->
            channels.put(
                name,
                Map.of(
                    "TrainingInputMode", mode,
                    "S3DistributionType", "FullyReplicated",
                    "RecordWrapperType", "None")));
    write("input/config/inputdataconfig.json", JSON.writeValueAsString(channels));
  }

  void hyperParameters(Map<String, String> values) throws IOException {
    write("input/config/hyperparameters.json", JSON.writeValueAsString(values));
  }

  private static String rows(int count) {
    StringBuilder rows = new StringBuilder("sentence\tlabel\n");
    for (int i = 0; i < count; i++) {
      boolean good = i % 3 != 0;
      rows.append(good ? "good " : "not bad ");
      for (int w = 0; w <= i % 5; w++) {
        rows.append(WORDS.get((i + w) % WORDS.size())).append(' ');
      }
      rows.append(good ? "film\tpos\n" : "plot\tneg\n");
    }
    return rows.toString();
  }

  void writeModel(Path folder) throws IOException {
    Files.copy(Fixtures.file("tiny-bert/model.onnx"), folder.resolve("model.onnx"));
    Map<?, ?> config =
        JSON.readValue(Files.readString(Fixtures.file("tiny-bert/config.json")), Map.class);
    Map<Object, Object> named = new LinkedHashMap<>(config);
    named.remove("label2id");
    named.put("id2label", Map.of("0", "neg", "1", "pos"));
    Files.writeString(folder.resolve("config.json"), JSON.writeValueAsString(named));
    StringBuilder vocabulary = new StringBuilder("\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3");
    for (int i = 0; i < WORDS.size(); i++) {
      vocabulary.append(",\"%s\":%d".formatted(WORDS.get(i), 5 + i));
    }
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"version": "1.0", "added_tokens": [], "normalizer": {"type": "Lowercase"},
         "pre_tokenizer": {"type": "Whitespace"},
         "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
         "decoder": null,
         "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {%s}}}
        """
            .formatted(vocabulary));
  }

  /** Where a job in this process makes its run. */
  Path workFolder() {
    PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
    return new TrainingContainer(base, nowhere, nowhere).workFolder();
  }

  /** Trains in this process, by the command that an image runs. */
  Ended train() {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    TrainingContainer job =
        new TrainingContainer(base, new PrintWriter(out, true), new PrintWriter(err, true));
    int code;
    try {
      code = job.run();
    } catch (RuntimeException e) {
      code = 1;
      err.append(String.valueOf(e.getMessage()));
    }
    return new Ended(code, out.toString(), err.toString());
  }

  /** Trains in a process of its own, and ends it as the platform does, at a line that it prints. */
  Ended trainUntil(Predicate<String> line) throws IOException, InterruptedException {
    return trainUntil(line, ProcessHandle::destroy);
  }

  /** The same for a machine that is gone from one moment to the next. */
  Ended trainUntilKilled(Predicate<String> line) throws IOException, InterruptedException {
    return trainUntil(line, ProcessHandle::destroyForcibly);
  }

  private Ended trainUntil(Predicate<String> line, Consumer<ProcessHandle> end)
      throws IOException, InterruptedException {
    Path err = base.resolveSibling("err-" + System.nanoTime() + ".txt");
    Process process = process(err);
    StringBuilder out = new StringBuilder();
    try {
      BufferedReader lines = process.inputReader();
      boolean ended = false;
      for (String read = lines.readLine(); read != null; read = lines.readLine()) {
        out.append(read).append('\n');
        if (!ended && line.test(read)) {
          // Its own method would close the stream that is read.
          end.accept(process.toHandle());
          ended = true;
        }
      }
      if (!process.waitFor(2, TimeUnit.MINUTES)) {
        throw new AssertionError("it comes to no end: " + Files.readString(err));
      }
    } finally {
      process.destroyForcibly();
    }
    return new Ended(process.exitValue(), out.toString(), Files.readString(err));
  }

  private Process process(Path err) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(javaOptions);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of("io.github.loragraph.cli.Main", "sagemaker", "train"));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("SAGEMAKER_BASE_DIR", base.toString());
    return builder.redirectError(err.toFile()).start();
  }
}
