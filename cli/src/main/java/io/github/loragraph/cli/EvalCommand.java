package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.data.DataFileWriter;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.Row;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.task.Mistake;
import io.github.loragraph.task.Prediction;
import io.github.loragraph.task.Report;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph eval}. */
@Command(
    name = "eval",
    header = "Measures a model on labelled examples.",
    description = {
      "",
      "Prints loss and accuracy, precision, recall and F1 of each class and the confusion matrix;"
          + " for a regression the correlations of Pearson and Spearman. macroF1 is the mean over the"
          + " classes that are a label or an answer of some example, weightedF1 counts each class as"
          + " often as it is a label. What is 0/0 is not defined (null in JSON).",
      "",
      "A run folder says itself which columns, length and task it was trained with.",
      ""
    },
    footer = {
      "",
      "Examples:",
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
  @Mixin private ResultOutput output;

  @Option(names = "--output", paramLabel = "NAME", description = "The same as --output-name.")
  private void output(String name) {
    outputName.setIfAbsent(name);
  }

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description = "Labelled examples: .tsv, .csv or .jsonl.")
  private Path data;

  @Option(
      names = "--errors",
      paramLabel = "N|FILE",
      description =
          "List the N worst mistakes with text, label, answer and loss, long texts shortened; or"
              + " write all of them, whole, to a .tsv, .csv or .jsonl file.")
  private String errors;

  @Option(names = "--force", description = "Replace a file of errors that exists.")
  private boolean force;

  @Override
  public Integer call() {
    boolean listed = errors != null && errors.matches("\\d{1,9}");
    Path errorFile = errors == null || listed ? null : Path.of(errors);
    if (errorFile != null) {
      DataFileWriter.checkTarget(errorFile);
      AtomicFile.checkTarget(errorFile, force);
    }
    ModelFolder folder = model.folder();
    OnnxModel onnx = outputName.choose(OnnxFile.read(folder.modelFile()));
    RunDefaults run = RunDefaults.of(folder, output);
    try (ModelData modelData =
        dataOptions.openToAnswer(folder, onnx, run, columns.columns(run), output)) {
      List<Row> rows = modelData.labelledRows(data);
      run.sayOtherTexts(rows, output);
      List<Example> examples = modelData.labelled(data, rows);
      try (Predictor predictor =
          new Predictor(
              modelData.answer().answering(),
              modelData.padId(),
              device.sessions(threads, output))) {
        float[][] logits = predictor.logits(examples);
        for (int i = 0; i < logits.length; i++) {
          Prediction.requireNumbers(logits[i], rows.get(i).place());
        }
        List<String> names = modelData.labels().names();
        Report report = modelData.task().report(logits, examples, modelData.outputs());
        List<Map<String, Object>> mistakes = List.of();
        if (errors != null) {
          mistakes = mistakes(modelData, rows, examples, logits);
        }
        int most = listed ? Math.min(Integer.parseInt(errors), mistakes.size()) : 0;
        print(
            new ReportOutput(report, names),
            modelData,
            mistakes.subList(0, most),
            errorFile == null ? null : write(errorFile, mistakes));
      }
    }
    return 0;
  }

  private static List<Map<String, Object>> mistakes(
      ModelData modelData, List<Row> rows, List<Example> examples, float[][] logits) {
    List<Map<String, Object>> mistakes = new ArrayList<>();
    for (Mistake mistake :
        modelData.task().mistakes(logits, examples, modelData.labels().names())) {
      Row row = rows.get(mistake.example());
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("row", row.place());
      entry.put("label", mistake.label());
      entry.put("answer", mistake.answer());
      entry.put("loss", mistake.loss());
      if (mistake.token() >= 0) {
        entry.put("token", mistake.token());
      }
      entry.put("text", text(modelData, row, examples.get(mistake.example()), mistake.token()));
      if (row.textPair() != null) {
        entry.put("textPair", row.textPair());
      }
      mistakes.add(entry);
    }
    return mistakes;
  }

  /** Pre-tokenized rows are text again where there is a tokenizer. */
  private static String text(ModelData modelData, Row row, Example example, int token) {
    if (row.isText()) {
      return row.text();
    }
    if (!modelData.canDecode(example)) {
      return null;
    }
    List<String> tokens = modelData.tokens(example);
    return token < 0 ? String.join(" ", tokens) : tokens.get(token);
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
      ReportOutput report, ModelData modelData, List<Map<String, Object>> mistakes, String file) {
    Map<String, Object> json = new LinkedHashMap<>(report.json());
    json.put("truncated", modelData.truncated(data));
    json.put("maxLength", modelData.maxLength());
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
            printMistakes(out, mistakes);
          }
        });
  }

  private static void printMistakes(PrintWriter out, List<Map<String, Object>> mistakes) {
    out.println();
    if (mistakes.isEmpty()) {
      out.println("no mistakes");
      return;
    }
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"loss", "label", "answer", "row", "text"});
    for (Map<String, Object> mistake : mistakes) {
      Object text = mistake.get("text");
      Object pair = mistake.get("textPair");
      rows.add(
          new String[] {
            String.format(Locale.ROOT, "%.4f", (double) mistake.get("loss")),
            PredictionLines.escaped(mistake.get("label").toString()),
            PredictionLines.escaped(mistake.get("answer").toString()),
            mistake.get("row").toString(),
            shown(text) + (pair == null ? "" : " | " + shown(pair))
          });
    }
    new TextTable(rows, Set.of(0)).printTo(out);
  }

  /** A text in one line, no longer than {@link #TEXT_SHOWN}; the number says what was left out. */
  private static String shown(Object text) {
    String line = text == null ? "" : PredictionLines.escaped(text.toString());
    int length = line.codePointCount(0, line.length());
    return length <= TEXT_SHOWN
        ? line
        : "%s ... (%,d more characters)"
            .formatted(
                line.substring(0, line.offsetByCodePoints(0, TEXT_SHOWN)), length - TEXT_SHOWN);
  }
}
