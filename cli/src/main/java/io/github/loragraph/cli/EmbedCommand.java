package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.Dataset;
import io.github.loragraph.Embedder;
import io.github.loragraph.Example;
import io.github.loragraph.data.DataFileWriter;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.retrieval.NpyFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lora-graph embed}. */
@Command(
    name = "embed",
    header = "Makes vectors of texts.",
    description = {
      "",
      "Takes the texts from the arguments, from a data file, or one from each line of standard"
          + " input. Prints a JSON object for each, in their order: all fields of its row (text"
          + " where there are none) and embedding. With --output FILE.jsonl they are written to a"
          + " file, with --output FILE.npy the vectors alone, as NumPy loads them: 32-bit floats of"
          + " the shape (texts, dimension).",
      "",
      "How the tokens of a text become one vector is found in the model's graph, its run, or the"
          + " files of sentence-transformers beside it, which is said; else it is named by"
          + " --pooling.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph embed all-minilm-l6-v2 'where is my parcel?'",
      "  lora-graph embed run --data corpus.tsv --output vectors.npy",
      "  lora-graph embed e5 --pooling mean --normalize --prefix 'query: ' < queries.txt"
    },
    mixinStandardHelpOptions = true)
final class EmbedCommand implements Callable<Integer> {
  private static final int CHUNK = 1024;
  private static final String FIELD = "embedding";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Whose prefix is put before each text, by the words of sentence-transformers' prompts. */
  enum Prompt {
    QUERY,
    DOCUMENT
  }

  static final class PromptConverter extends NameConverter<Prompt> {
    PromptConverter() {
      super(Prompt.values());
    }
  }

  @Mixin private ModelArgument model;
  @Mixin private EmbeddingOptions embedding;
  @Mixin private DocumentModelOption documentModel;
  @Mixin private EmbeddedTextOptions texts;
  @Mixin private EmbeddingLength length;
  @Mixin private OutputNameOption outputName;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions device;
  @Mixin private DataFiles dataFiles;
  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Parameters(
      index = "1..*",
      paramLabel = "TEXT",
      description = "Texts to embed (default: the lines of standard input).")
  private List<String> arguments = new ArrayList<>();

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "Texts to embed: .tsv, .csv or .jsonl, as for training, also packed (.gz, .zst); labels are"
              + " not needed. Several: the option again, or a pattern; '-' is standard input, by"
              + " --data-format.")
  private @Nullable List<String> data;

  @Option(
      names = "--prefix",
      paramLabel = "TEXT",
      description = "What is put before each text, 'query: ' for example (default: nothing).")
  private @Nullable String prefix;

  @Option(
      names = "--prompt-name",
      paramLabel = "NAME",
      converter = PromptConverter.class,
      completionCandidates = PromptConverter.class,
      description =
          "Put that before each text which the model's run or its config_sentence_transformers.json"
              + " has for: ${COMPLETION-CANDIDATES}. With document titles are read, too, as in a"
              + " search, and the model that embeds documents is taken, where the run trained the"
              + " query side alone.")
  private @Nullable Prompt prompt;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write a .jsonl file with the rows, or an .npy file of the vectors alone.")
  private @Nullable Path target;

  @Option(names = "--force", description = "Replace a file that exists.")
  private boolean force;

  /** What is done with vectors. */
  private interface Sink {
    void take(Example example, float[] vector) throws IOException;

    /** Hands on what has been taken so far. */
    default void flush() {}
  }

  @Override
  public Integer call() {
    if (data != null && !arguments.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "name texts or --data, not both");
    }
    if (prefix != null && prompt != null) {
      throw new ParameterException(spec.commandLine(), "name --prefix or --prompt-name, not both");
    }
    if (target != null) {
      checkTarget(target);
    }
    try (Embedder embedder =
        outputName
            .choose(model.open(output))
            .embedder(length.inference(device, threads, documentModel.of(embedding.asked())))) {
      Run run = new Run(embedder, prefix(embedder));
      if (target != null) {
        write(run, target);
      } else if (output.isJson()) {
        List<Map<String, Object>> all = new ArrayList<>();
        run.over((example, vector) -> all.add(object(example, vector, "standard output")));
        output.print(Map.of("dimension", embedder.dimension(), "embeddings", all), out -> {});
      } else {
        run.over(new Printer());
      }
    }
    return 0;
  }

  private void checkTarget(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    if (!NpyFile.isNamed(name)
        && !name.endsWith(".jsonl")
        && !name.endsWith(".ndjson")
        && !name.endsWith(".json")) {
      throw new LoraGraphException(
          file + " is no .jsonl or .npy file, as vectors are written to: give it such an ending");
    }
    AtomicFile.checkTarget(file, force);
  }

  private String prefix(Embedder embedder) {
    if (prefix != null) {
      return prefix;
    }
    if (prompt != null) {
      String its = prompt == Prompt.QUERY ? embedder.queryPrefix() : embedder.documentPrefix();
      if (its.isEmpty()) {
        output.log(
            "nothing is put before the texts: no file says what %s begin with",
            prompt == Prompt.QUERY ? "queries" : "documents");
      }
      return its;
    }
    if (embedder.embedsQueriesAlone()) {
      output.log("the texts are embedded as queries: --prompt-name document embeds documents");
    }
    if (!embedder.queryPrefix().isEmpty() || !embedder.documentPrefix().isEmpty()) {
      output.log(
          "nothing is put before the texts: --prompt-name query puts '%s', --prompt-name document"
              + " '%s'",
          embedder.queryPrefix(), embedder.documentPrefix());
    }
    return "";
  }

  private void write(Run run, Path file) {
    AtomicFile.write(
        file,
        force,
        NpyFile.isNamed(file.toString())
            ? new NpyFile(
                run.embedder.dimension(),
                taker -> run.over((example, vector) -> taker.vector(vector)))
            : out -> {
              try (DataFileWriter writer = new DataFileWriter(file, out)) {
                run.over((example, vector) -> writer.write(fields(example, vector, file)));
              }
            });
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", file.toString());
    result.put("examples", run.count);
    result.put("dimension", run.embedder.dimension());
    output.print(
        result,
        out ->
            out.printf(
                "%,d texts embedded, %d numbers each%nwritten: %s%n",
                run.count, run.embedder.dimension(), file));
  }

  private static Map<String, JsonNode> fields(Example example, float[] vector, Path file) {
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    object(example, vector, file.toString())
        .forEach((name, value) -> fields.put(name, JSON.valueToTree(value)));
    return fields;
  }

  private static Map<String, Object> object(Example example, float[] vector, String target) {
    Map<String, Object> fields = new LinkedHashMap<>(example.fields());
    if (fields.isEmpty()) {
      example.text().ifPresent(text -> fields.put("text", text));
    }
    if (fields.putIfAbsent(FIELD, vector) != null) {
      throw new LoraGraphException(
          "%s cannot be written: the data has a field '%s' already; give it another name"
              .formatted(target, FIELD));
    }
    return fields;
  }

  /** From texts to vectors, in their order. */
  private final class Run {
    private final Embedder embedder;
    private final String before;
    private final TextsProgress progress = new TextsProgress(output, "embedded");
    private long count;

    Run(Embedder embedder, String before) {
      this.embedder = embedder;
      this.before = before;
    }

    void over(Sink sink) {
      count = 0;
      if (data != null) {
        embed(
            texts.of(dataFiles.of(data)),
            (example, vector) -> {
              take(example, vector, sink);
              if (count % CHUNK == 0) {
                sink.flush();
              }
            });
        sink.flush();
      } else if (!arguments.isEmpty()) {
        embed(List.of(StreamedTexts.examples(arguments, "arguments", 0)).iterator(), sink);
        sink.flush();
      } else {
        embed(new StreamedTexts(System.in, CHUNK, sink::flush), sink);
        if (count == 0) {
          throw new LoraGraphException(
              "no text to embed: give it as an argument, with --data, or on standard input");
        }
      }
    }

    /** Of an encoder that was trained on the query side another one embeds documents. */
    private void embed(Iterator<List<Example>> some, Sink sink) {
      if (prompt == Prompt.DOCUMENT) {
        embedder.embedDocuments(some, (example, vector) -> take(example, vector, sink));
      } else {
        embedder.embed(some, before, (example, vector) -> take(example, vector, sink));
      }
    }

    /** The same of a file. */
    private void embed(Dataset some, BiConsumer<Example, float[]> taker) {
      if (prompt == Prompt.DOCUMENT) {
        embedder.embedDocuments(some, taker);
      } else {
        embedder.embed(some, before, taker);
      }
    }

    private void take(Example example, float[] vector, Sink sink) {
      count++;
      try {
        sink.take(example, vector);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      progress.accept(count);
    }
  }

  /** JSON lines for pipes. */
  private final class Printer implements Sink {
    private final PrintWriter out =
        new PrintWriter(new PlainTextWriter(spec.commandLine().getOut()));

    @Override
    public void take(Example example, float[] vector) throws IOException {
      out.print(JSON.writeValueAsString(object(example, vector, "standard output")));
      out.print('\n');
    }

    @Override
    public void flush() {
      out.flush();
      if (spec.commandLine().getOut().checkError()) {
        throw new LoraGraphException(
            "nobody reads the vectors any more: standard output is closed");
      }
    }
  }
}
