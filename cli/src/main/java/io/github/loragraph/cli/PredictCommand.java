package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.Example;
import io.github.loragraph.Prediction;
import io.github.loragraph.Predictor;
import io.github.loragraph.RankedDocument;
import io.github.loragraph.Ranking;
import io.github.loragraph.Task;
import io.github.loragraph.data.DataFileWriter;
import io.github.loragraph.data.LineStream;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code lora-graph predict}.
 *
 * <p>Long because answers and rankings are both given as lines, as JSON and as files.
 */
@Command(
    name = "predict",
    header = "Labels texts.",
    description = {
      "",
      "Takes the texts from the arguments, from a data file, or one from each line of standard"
          + " input, where each is answered when it comes. A tab divides the two texts of a pair."
          + " Prints for each the label, its probability and the text, separated by tabs; a"
          + " regression's number and the text; labels of half or more probability, separated by"
          + " commas ('-' for none), where there may be several; a line for each token, and an"
          + " empty one after the text, where tokens are labelled; for each entity type, score,"
          + " first character, the one after the last, and text, where classes are tags of"
          + " entities; with --task masked-lm the five"
          + " likeliest tokens for each mask (<mask>, [MASK]), each with its probability, in a"
          + " line, and an empty one after each mask. Line ends and tabs inside of a text are"
          + " printed as \\n"
          + " and \\t.",
      "",
      "A reranker ranks: the documents (the texts) of --query, or those of each query of --data,"
          + " a line for each with rank, score and document, the most relevant first; those of"
          + " --data begin with the query.",
      "",
      "With --output all columns of the data are written, and beside them predicted_label,"
          + " predicted_probability and a probability_... for each class; for several labels"
          + " predicted_labels and the probabilities; for numbers predicted_value, or predicted_..."
          + " for each name; for entities predicted_entities, and predicted_labels where words were"
          + " given; for other tokens predicted_tokens and predicted_labels; for masks"
          + " predicted_tokens and predicted_probabilities. A ranking has query and document alone,"
          + " and predicted_rank and predicted_score beside them. A run folder says itself which"
          + " columns, length and task it was trained with.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph predict run 'where is my parcel?'",
      "  lora-graph predict run < texts.txt | cut -f 1 | sort | uniq -c",
      "  lora-graph predict run --data new.csv --output answers.csv",
      "  lora-graph predict reranker --query 'reset the pump' 'Hold the key ...' 'The filter ...'"
    },
    mixinStandardHelpOptions = true)
final class PredictCommand implements Callable<Integer> {
  /** Rows that are sorted by their length and answered together. */
  private static final int CHUNK = 1024;

  @Mixin private ModelArgument model;
  @Mixin private DataOptions dataOptions;
  @Mixin private TextColumnOptions columns;
  @Mixin private OutputNameOption outputName;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions device;
  @Mixin private DataFiles dataFiles;
  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Parameters(
      index = "1..*",
      paramLabel = "TEXT",
      description = "Texts to label (default: the lines of standard input).")
  private List<String> texts = new ArrayList<>();

  @Option(
      names = "--query",
      paramLabel = "TEXT",
      description = "Rank the texts, which are documents, by how relevant they are to this query.")
  private @Nullable String query;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "Texts to label: .tsv, .csv, .jsonl or .conll, as for training, or .txt, one in each"
              + " line; labels are not needed. Also packed (.gz, .zst); several: the option again, or a"
              + " pattern; '-' is standard input, by --data-format.")
  private @Nullable List<String> data;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write the answers beside the data: .tsv, .csv or .jsonl.")
  private @Nullable Path target;

  @Option(names = "--force", description = "Replace a file that exists.")
  private boolean force;

  /** What is done with answers. */
  private interface Sink {
    void take(Example example, Prediction answer) throws IOException;

    /** Hands on what has been taken so far. */
    default void flush() {}
  }

  @Override
  public Integer call() {
    if (data != null && !texts.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "name texts or --data, not both");
    }
    if (data != null && query != null) {
      throw new ParameterException(
          spec.commandLine(), "--query is for texts: the queries of --data are in the file");
    }
    if (target != null) {
      DataFileWriter.checkTarget(target);
      AtomicFile.checkTarget(target, force);
    }
    try (Predictor predictor =
        outputName.choose(model.open(output)).predictor(dataOptions.inference(device, threads))) {
      if (query != null || data != null && predictor.task().equals(Task.RERANK)) {
        new Rankings(predictor).give();
        return 0;
      }
      Run answers = new Run(predictor);
      if (target != null) {
        write(answers, target);
      } else if (output.isJson()) {
        List<Map<String, Object>> predictions = new ArrayList<>();
        answers.over((example, answer) -> predictions.add(object(example, answer)));
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("predictions", predictions);
        result.put("truncated", answers.cut);
        output.print(result, out -> {});
      } else {
        answers.over(new Printer());
      }
      answers.tellCut();
    }
    return 0;
  }

  private void write(Run answers, Path file) {
    long[] counts = new long[2];
    AtomicFile.write(
        file,
        force,
        out -> {
          try (DataFileWriter writer = new DataFileWriter(file, out)) {
            answers.over(
                (example, answer) ->
                    writer.write(PredictionFields.of(example.fields(), answer, file)));
            counts[0] = writer.rows();
            counts[1] = writer.flattened();
          }
        });
    tellFlattened(counts[1], counts[0]);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", file.toString());
    result.put("examples", counts[0]);
    result.put("truncated", answers.cut);
    output.print(result, out -> out.printf("%,d rows answered%nwritten: %s%n", counts[0], file));
  }

  /** From queries to rankings, in their order. */
  private final class Rankings {
    private final Predictor predictor;
    private long documents;
    private long cut;

    Rankings(Predictor predictor) {
      this.predictor = predictor;
    }

    void give() {
      if (target != null) {
        write(target);
      } else if (output.isJson()) {
        List<Map<String, Object>> rankings = new ArrayList<>();
        each(ranking -> rankings.add(new RankingOutput(ranking, false).json()));
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("rankings", rankings);
        result.put("truncated", cut);
        output.print(result, out -> {});
      } else {
        PrintWriter out = spec.commandLine().getOut();
        each(
            ranking -> {
              new RankingOutput(ranking, data != null).printTo(out);
              out.flush();
            });
      }
    }

    private void each(Consumer<Ranking> taker) {
      Consumer<Ranking> counting =
          ranking -> {
            documents += ranking.documents().size();
            cut += ranking.documents().stream().filter(RankedDocument::truncated).count();
            taker.accept(ranking);
          };
      if (data != null) {
        predictor.rank(columns.of(dataFiles.of(data)), counting);
        return;
      }
      String asked = Objects.requireNonNull(query);
      counting.accept(new Ranking(asked, predictor.rank(asked, texts.isEmpty() ? lines() : texts)));
      if (cut > 0) {
        output.log(
            "%,d of %,d documents cut at %d tokens, the query's included",
            cut, documents, predictor.maxLength());
      }
    }

    private List<String> lines() {
      LineStream lines = new LineStream(System.in, "standard input");
      List<String> all = new ArrayList<>();
      for (List<String> some = lines.next(CHUNK); !some.isEmpty(); some = lines.next(CHUNK)) {
        all.addAll(some);
      }
      return all;
    }

    private void write(Path file) {
      long[] flattened = new long[1];
      AtomicFile.write(
          file,
          force,
          out -> {
            try (DataFileWriter writer = new DataFileWriter(file, out)) {
              List<Ranking> rankings = new ArrayList<>();
              each(rankings::add);
              for (Ranking ranking : rankings) {
                for (Map<String, JsonNode> row : new RankingOutput(ranking, true).rows()) {
                  writer.write(row);
                }
              }
              flattened[0] = writer.flattened();
            }
          });
      tellFlattened(flattened[0], documents);
      Map<String, Object> result = new LinkedHashMap<>();
      result.put("output", file.toString());
      result.put("examples", documents);
      result.put("truncated", cut);
      output.print(
          result, out -> out.printf("%,d documents ranked%nwritten: %s%n", documents, file));
    }
  }

  private void tellFlattened(long flattened, long rows) {
    if (flattened > 0) {
      output.log(
          "tabs and line ends became spaces in %,d of %,d rows: .csv and .jsonl keep them",
          flattened, rows);
    }
  }

  /** From texts to answers, in their order. */
  private final class Run {
    private final Predictor predictor;
    private boolean saidPairs;
    private long count;
    private long cut;

    Run(Predictor predictor) {
      this.predictor = predictor;
    }

    void over(Sink sink) {
      count = 0;
      cut = 0;
      if (data != null) {
        files(data, sink);
      } else if (!texts.isEmpty()) {
        List<Example> examples = new ArrayList<>();
        for (String text : texts) {
          examples.add(example(text, "text " + (examples.size() + 1)));
        }
        answer(examples, sink);
      } else {
        stream(sink);
      }
    }

    private void files(List<String> files, Sink sink) {
      try {
        predictor.predict(
            columns.of(dataFiles.of(files)),
            (example, answer) -> {
              take(example, answer, sink);
              if (count % CHUNK == 0) {
                sink.flush();
              }
            });
      } finally {
        sink.flush();
      }
    }

    private void stream(Sink sink) {
      predictor.predict(
          new Arriving(),
          (example, answer) -> {
            take(example, answer, sink);
            sink.flush();
          });
      if (count == 0) {
        throw new LoraGraphException(
            "no text to label: give it as an argument, with --data, or on standard input");
      }
    }

    /** The lines of standard input that have come since. */
    private final class Arriving implements Supplier<List<Example>> {
      private final LineStream lines = new LineStream(System.in, "standard input");
      private long number;
      private @Nullable LoraGraphException failure;

      @Override
      public List<Example> get() {
        if (failure != null) {
          throw failure;
        }
        List<Example> examples = new ArrayList<>();
        for (String line : lines.next(CHUNK)) {
          number++;
          try {
            examples.add(example(line, "standard input:" + number));
          } catch (LoraGraphException e) {
            if (examples.isEmpty()) {
              throw e;
            }
            failure = e;
            return examples;
          }
        }
        return examples;
      }
    }

    private Example example(String text, String place) {
      String[] parts = text.split("\t", -1);
      if (parts.length > 2) {
        throw new LoraGraphException(
            "%s has %d tabs: one divides the texts of a pair (give tables with --data)"
                .formatted(place, parts.length - 1));
      }
      if (parts.length == 2 && !saidPairs) {
        saidPairs = true;
        output.log("texts with a tab are pairs");
      }
      Example example = parts.length == 1 ? Example.of(parts[0]) : Example.pair(parts[0], parts[1]);
      return example.withPlace(place);
    }

    private void answer(List<Example> examples, Sink sink) {
      List<Prediction> answers = predictor.predict(examples);
      for (int i = 0; i < answers.size(); i++) {
        take(examples.get(i), answers.get(i), sink);
      }
      sink.flush();
    }

    private void take(Example example, Prediction answer, Sink sink) {
      count++;
      cut += answer.truncated() ? 1 : 0;
      try {
        sink.take(example, answer);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Of a file the library has said it. */
    void tellCut() {
      if (data == null && cut > 0) {
        output.log(
            "%s: %,d of %,d texts cut at %d tokens",
            texts.isEmpty() ? "standard input" : "arguments", cut, count, predictor.maxLength());
      }
    }
  }

  /** Lines for people and for pipes. */
  private final class Printer implements Sink {
    private final PredictionLines lines = new PredictionLines(spec.commandLine().getOut());

    @Override
    public void take(Example example, Prediction answer) {
      lines.print(example, answer);
    }

    @Override
    public void flush() {
      spec.commandLine().getOut().flush();
      if (spec.commandLine().getOut().checkError()) {
        throw new LoraGraphException(
            "nobody reads the answers any more: standard output is closed");
      }
    }
  }

  private static Map<String, Object> object(Example example, Prediction answer) {
    Map<String, Object> entry = new LinkedHashMap<>();
    example.text().ifPresent(text -> entry.put("text", text));
    example.textPair().ifPresent(text -> entry.put("textPair", text));
    entry.putAll(answer.json());
    return entry;
  }
}
