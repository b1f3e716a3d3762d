package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.Dataset;
import io.github.loragraph.Embedder;
import io.github.loragraph.Evaluation;
import io.github.loragraph.Mistake;
import io.github.loragraph.Model;
import io.github.loragraph.Predictor;
import io.github.loragraph.SearchHit;
import io.github.loragraph.Task;
import io.github.loragraph.data.DataFileWriter;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.retrieval.FirstStage;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code lora-graph eval}.
 *
 * <p>Long because what is measured, and with which files, is decided in one place.
 */
@Command(
    name = "eval",
    header = "Measures a model on labelled examples.",
    description = {
      "",
      "Prints loss and accuracy, precision, recall and F1 of each class and the confusion matrix;"
          + " for a regression the correlations of Pearson and Spearman. macroF1 is the mean over"
          + " the classes that are a label or an answer of some example, weightedF1 counts each"
          + " class as often as it is a label. What is 0/0 is not defined (null in JSON).",
      "",
      "With --task embedding vectors are measured: scored pairs by the correlations of score and"
          + " cosine, other pairs and triplets by a search among their own texts, or, with"
          + " --corpus, --queries and --qrels, by a search in a corpus: ndcg@10, mrr@10, recall@1,"
          + " 5, 10 and 100, and map, as trec_eval has them. --run writes what was found.",
      "",
      "With --task rerank and --candidates the first --top documents that a search found for each"
          + " query are put into another order, and the figures of both orders are printed, over"
          + " all judgements.",
      "",
      "A run folder says itself which columns, length and task it was trained with.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph eval all-minilm-l6-v2 --corpus corpus.tsv --queries queries.tsv --qrels"
          + " qrels.tsv",
      "  lora-graph eval reranker --corpus corpus.tsv --queries queries.tsv --qrels qrels.tsv"
          + " --candidates found.tsv",
      "  lora-graph eval run --data dev.tsv",
      "  lora-graph eval run --data dev.tsv --errors 20",
      "  lora-graph eval run --data dev.tsv --errors errors.csv"
    },
    mixinStandardHelpOptions = true)
final class EvalCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Characters of a text in the list for people: what comes after is seldom why it is there. */
  private static final int TEXT_SHOWN = 200;

  @Mixin private ModelArgument model;
  @Mixin private DataOptions dataOptions;
  @Mixin private ColumnOptions columns;
  @Mixin private OutputNameOption outputName;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions device;
  @Mixin private DataFiles dataFiles;
  @Mixin private ResultOutput output;

  @Option(names = "--output", paramLabel = "NAME", description = "The same as --output-name.")
  private void output(String name) {
    outputName.setIfAbsent(name);
  }

  @Mixin private EmbeddingOptions embedding;
  @Mixin private DocumentModelOption documentModel;

  @Spec private CommandSpec spec;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "Labelled examples: .tsv, .csv, .jsonl or .conll; of a task without labels also .txt, a"
              + " text in each line; also packed (.gz, .zst). Several: the option again, or a pattern, as"
              + " 'data/*.tsv.gz'; '-' is standard input.")
  private @Nullable List<String> data;

  @Option(
      names = "--corpus",
      paramLabel = "FILE",
      description = "Documents to search: id, title and text, as BEIR and MS MARCO have them.")
  private @Nullable Path corpus;

  @Option(names = "--queries", paramLabel = "FILE", description = "Queries: id and text.")
  private @Nullable Path queries;

  @Option(
      names = "--qrels",
      paramLabel = "FILE",
      description =
          "Which documents are relevant to which query: query-id, corpus-id and score, or TREC's"
              + " four columns.")
  private @Nullable Path qrels;

  @Option(
      names = "--run",
      paramLabel = "FILE",
      description =
          "Write what the search of --task embedding found, the first --top documents of each"
              + " query, as a TREC run.")
  private @Nullable Path found;

  @Option(
      names = "--candidates",
      paramLabel = "FILE",
      description =
          "What a search found, for a reranker: a TREC run, or query-id, corpus-id and score.")
  private @Nullable Path candidates;

  @Option(
      names = "--top",
      paramLabel = "N",
      defaultValue = "100",
      description =
          "Documents of a query that --run writes, or that --candidates puts into another order"
              + " (default: ${DEFAULT-VALUE}).")
  private int top;

  @Option(
      names = "--errors",
      paramLabel = "N|FILE",
      description =
          "List the N worst mistakes with text, label, answer and loss, long texts shortened; or"
              + " write all of them, whole, to a .tsv, .csv or .jsonl file.")
  private @Nullable String errors;

  @Option(names = "--force", description = "Replace a file that exists.")
  private boolean force;

  @Override
  public Integer call() {
    boolean listed = errors != null && errors.matches("\\d{1,9}");
    @Nullable Path errorFile = errors == null || listed ? null : Path.of(errors);
    if (errorFile != null) {
      DataFileWriter.checkTarget(errorFile);
      AtomicFile.checkTarget(errorFile, force);
    }
    boolean search = corpus != null || queries != null || qrels != null;
    if (!search && (found != null || candidates != null)) {
      throw new ParameterException(
          spec.commandLine(),
          "--run and --candidates belong to a search, with --corpus, --queries and --qrels");
    }
    if (!search && spec.commandLine().getParseResult().hasMatchedOption("--top")) {
      throw new ParameterException(
          spec.commandLine(), "--top counts documents of a search, and --data has the candidates");
    }
    if (found != null && candidates != null || top < 1) {
      throw new ParameterException(
          spec.commandLine(),
          top < 1
              ? "--top must be 1 or more"
              : "--run writes what a search finds, --candidates reads it: give one of them");
    }
    if (found != null) {
      AtomicFile.checkTarget(found, force);
    }
    if (search
        ? corpus == null || queries == null || qrels == null || data != null
        : data == null) {
      throw new ParameterException(
          spec.commandLine(),
          search
              ? "a search is measured with --corpus, --queries and --qrels, and without --data"
              : "name the examples with --data, or a search with --corpus, --queries and --qrels");
    }
    Model opened = outputName.choose(model.open(output));
    boolean isEmbedding =
        dataOptions
            .task()
            .or(opened::trainedTask)
            .map(Task.EMBEDDING::equals)
            .orElse(search && candidates == null);
    if (search && isEmbedding && candidates != null) {
      throw new ParameterException(
          spec.commandLine(), "--candidates are put into another order with --task rerank alone");
    }
    if (search && !isEmbedding) {
      return rerank(opened);
    }
    if (isEmbedding) {
      return embedding(opened);
    }
    Dataset labelled = columns.of(dataFiles.of(Objects.requireNonNull(data)));
    try (Predictor predictor = opened.predictor(dataOptions.inference(device, threads))) {
      Evaluation evaluation = predictor.evaluate(labelled, errors != null);
      List<Map<String, Object>> mistakes =
          evaluation.mistakes().stream().map(EvalCommand::fields).toList();
      int most = listed ? Math.min(Integer.parseInt(errors), mistakes.size()) : 0;
      print(
          evaluation,
          mistakes.subList(0, most),
          errorFile == null ? null : write(errorFile, mistakes));
    }
    return 0;
  }

  private int embedding(Model opened) {
    if (errors != null) {
      throw new ParameterException(
          spec.commandLine(), "--errors lists mistakes, and embeddings have none: leave it out");
    }
    try (Embedder embedder =
        opened.embedder(
            dataOptions.inference(device, threads, documentModel.of(embedding.asked())))) {
      Dataset measured =
          corpus == null || queries == null || qrels == null
              ? columns.of(dataFiles.of(Objects.requireNonNull(data)))
              : Dataset.search(corpus, queries, qrels);
      print(measured(embedder, measured), List.of(), null);
    }
    return 0;
  }

  private Evaluation measured(Embedder embedder, Dataset measured) {
    TextsProgress progress = new TextsProgress(output, "searched");
    Path target = found;
    if (target == null) {
      return embedder.evaluate(measured, progress);
    }
    Map<String, List<SearchHit>> hits = new LinkedHashMap<>();
    Evaluation evaluation = embedder.evaluate(measured, progress, top, hits::put);
    AtomicFile.write(
        target,
        force,
        out -> {
          Writer writer = new OutputStreamWriter(out, StandardCharsets.UTF_8);
          for (Map.Entry<String, List<SearchHit>> query : hits.entrySet()) {
            List<FirstStage.Hit> theirs =
                query.getValue().stream()
                    .map(hit -> new FirstStage.Hit(hit.document(), hit.score(), ""))
                    .toList();
            FirstStage.write(writer, query.getKey(), theirs);
          }
          writer.flush();
        });
    output.log("written: %s, the first %,d documents of %,d queries", target, top, hits.size());
    return evaluation;
  }

  private int rerank(Model opened) {
    if (candidates == null || corpus == null || queries == null || qrels == null) {
      throw new ParameterException(
          spec.commandLine(),
          "a search is measured with --task embedding; a reranker needs what one found:"
              + " --candidates");
    }
    if (errors != null) {
      throw new ParameterException(
          spec.commandLine(), "--errors lists mistakes, and a search has none: leave it out");
    }
    try (Predictor predictor = opened.predictor(dataOptions.inference(device, threads))) {
      Evaluation evaluation =
          predictor.evaluate(
              Dataset.search(corpus, queries, qrels),
              candidates,
              top,
              new TextsProgress(output, "ranked"));
      print(evaluation, List.of(), null);
    }
    return 0;
  }

  private static Map<String, Object> fields(Mistake mistake) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("row", mistake.place());
    entry.put("label", mistake.label());
    entry.put("answer", mistake.answer());
    entry.put("loss", mistake.loss());
    mistake.token().ifPresent(token -> entry.put("token", token));
    entry.put("text", mistake.text().orElse(null));
    mistake.before().ifPresent(text -> entry.put("before", text));
    mistake.after().ifPresent(text -> entry.put("after", text));
    mistake.textPair().ifPresent(text -> entry.put("textPair", text));
    return entry;
  }

  private String write(Path file, List<Map<String, Object>> mistakes) {
    AtomicFile.write(
        file,
        force,
        out -> {
          try (DataFileWriter writer = new DataFileWriter(file, out)) {
            for (Map<String, Object> mistake : mistakes) {
              Map<String, JsonNode> fields = new LinkedHashMap<>();
              mistake.forEach((name, value) -> fields.put(name, JSON.valueToTree(value)));
              writer.write(fields);
            }
            if (writer.flattened() > 0) {
              output.log(
                  "tabs and line ends became spaces in %,d of %,d rows: .csv and .jsonl keep them",
                  writer.flattened(), writer.rows());
            }
          }
        });
    return file.toString();
  }

  private void print(
      Evaluation evaluation, List<Map<String, Object>> mistakes, @Nullable String file) {
    ReportOutput report = new ReportOutput(evaluation);
    Map<String, Object> json = new LinkedHashMap<>(report.json());
    json.put("score", evaluation.scoreName());
    json.put("truncated", evaluation.truncated());
    json.put("maxLength", evaluation.maxLength());
    if (errors != null && file == null) {
      json.put("errors", mistakes);
    }
    if (file != null) {
      json.put("errorFile", file);
    }
    output.print(
        json,
        out -> {
          report.printTo(out);
          if (file != null) {
            out.println("written: " + file);
          } else if (errors != null) {
            printMistakes(out, evaluation.mistakes().subList(0, mistakes.size()));
          }
        });
  }

  private static void printMistakes(PrintWriter out, List<Mistake> mistakes) {
    out.println();
    if (mistakes.isEmpty()) {
      out.println("no mistakes");
      return;
    }
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"loss", "label", "answer", "row", "text"});
    for (Mistake mistake : mistakes) {
      rows.add(
          new String[] {
            String.format(Locale.ROOT, "%.4f", mistake.loss()),
            PredictionLines.escaped(mistake.label()),
            PredictionLines.escaped(mistake.answer()),
            mistake.place(),
            inSentence(mistake) + mistake.textPair().map(pair -> " | " + shown(pair)).orElse("")
          });
    }
    new TextTable(rows, Set.of(0)).printTo(out);
  }

  /** A word stands in brackets among those beside it. */
  private static String inSentence(Mistake mistake) {
    String text = shown(mistake.text().orElse(""));
    return mistake.before().isEmpty() && mistake.after().isEmpty()
        ? text
        : "%s [%s] %s"
            .formatted(shown(mistake.before().orElse("")), text, shown(mistake.after().orElse("")))
            .strip();
  }

  /** A text in one line, no longer than {@link #TEXT_SHOWN}; the number says what was left out. */
  private static String shown(String text) {
    String line = PredictionLines.escaped(text);
    int length = line.codePointCount(0, line.length());
    return length <= TEXT_SHOWN
        ? line
        : "%s ... (%,d more characters)"
            .formatted(
                line.substring(0, line.offsetByCodePoints(0, TEXT_SHOWN)), length - TEXT_SHOWN);
  }
}
