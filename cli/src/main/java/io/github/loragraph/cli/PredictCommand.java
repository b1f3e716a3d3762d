package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.DataFileWriter;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.LineStream;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.task.Prediction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lora-graph predict}. */
@Command(
    name = "predict",
    header = "Labels texts.",
    description = {
      "",
      "Takes the texts from the arguments, from a data file, or one from each line of standard input,"
          + " where each is answered when it comes. A tab divides the two texts of a pair. Prints for"
          + " each the label, its probability and the text, separated by tabs; a regression's number"
          + " and the text; labels of half or more probability, separated by commas ('-' for none),"
          + " where there may be several; a line for each token, and an empty one after the text,"
          + " where tokens are labelled. Line ends and tabs inside of a text are printed as \\n and"
          + " \\t.",
      "",
      "With --output all columns of the data are written, and beside them predicted_label and"
          + " predicted_probability and a probability_... for each class, or predicted_value,"
          + " predicted_labels or predicted_tokens. A run folder says itself which columns, length"
          + " and task it was trained with.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph predict run 'where is my parcel?'",
      "  lora-graph predict run < texts.txt | cut -f 1 | sort | uniq -c",
      "  lora-graph predict run --data new.csv --output answers.csv"
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
  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Parameters(
      index = "1..*",
      paramLabel = "TEXT",
      description = "Texts to label (default: the lines of standard input).")
  private List<String> texts = new ArrayList<>();

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = "Texts to label: .tsv, .csv or .jsonl, as for training; labels are not needed.")
  private Path data;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write the answers beside the data: .tsv, .csv or .jsonl.")
  private Path target;

  @Option(names = "--force", description = "Replace a file that exists.")
  private boolean force;

  /** A row to answer, and what stands beside it in its file. */
  private record Question(Row row, Map<String, JsonNode> fields) {}

  /** What is done with answers. */
  private interface Sink {
    void take(Question question, Prediction answer, List<String> tokens) throws IOException;

    /** Hands on what has been taken so far. */
    default void flush() {}
  }

  @Override
  public Integer call() {
    if (data != null && !texts.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "name texts or --data, not both");
    }
    if (target != null) {
      DataFileWriter.checkTarget(target);
      AtomicFile.checkTarget(target, force);
    }
    ModelFolder folder = model.folder();
    OnnxModel onnx = outputName.choose(OnnxFile.read(folder.modelFile()));
    RunDefaults run = RunDefaults.of(folder, output);
    try (ModelData modelData =
            dataOptions.openToAnswer(folder, onnx, run, columns.columns(run), output);
        Predictor predictor =
            new Predictor(
                modelData.answer().answering(),
                modelData.padId(),
                device.sessions(threads, output))) {
      ModelData.Cuts cuts = new ModelData.Cuts();
      Run answers = new Run(run, modelData, predictor, cuts);
      if (target != null) {
        write(answers, cuts);
      } else if (output.isJson()) {
        List<Map<String, Object>> predictions = new ArrayList<>();
        answers.over(
            (question, answer, tokens) -> predictions.add(object(question, answer, tokens)));
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("predictions", predictions);
        result.put("truncated", cuts.cut());
        output.print(result, out -> {});
      } else {
        answers.over(new Printer());
      }
      modelData.tell(
          data != null ? data.toString() : texts.isEmpty() ? "standard input" : "arguments", cuts);
    }
    return 0;
  }

  private void write(Run answers, ModelData.Cuts cuts) {
    long[] counts = new long[2];
    AtomicFile.write(
        target,
        force,
        out -> {
          try (DataFileWriter writer = new DataFileWriter(target, out)) {
            answers.over(
                (question, answer, tokens) ->
                    writer.write(PredictionFields.of(question.fields(), answer, tokens, target)));
            counts[0] = writer.rows();
            counts[1] = writer.flattened();
          }
        });
    if (counts[1] > 0) {
      output.log(
          "tabs and line ends became spaces in %,d of %,d rows: .csv and .jsonl keep them",
          counts[1], counts[0]);
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", target.toString());
    result.put("examples", counts[0]);
    result.put("truncated", cuts.cut());
    output.print(result, out -> out.printf("%,d rows answered%nwritten: %s%n", counts[0], target));
  }

  /** From questions to answers, in their order. */
  private final class Run {
    private final RunDefaults trained;
    private final ModelData modelData;
    private final Predictor predictor;
    private final ModelData.Cuts cuts;
    private boolean saidPairs;
    private boolean saidOtherTexts;

    Run(RunDefaults trained, ModelData modelData, Predictor predictor, ModelData.Cuts cuts) {
      this.trained = trained;
      this.modelData = modelData;
      this.predictor = predictor;
      this.cuts = cuts;
    }

    void over(Sink sink) {
      if (data != null) {
        file(sink);
      } else if (!texts.isEmpty()) {
        List<Question> questions = new ArrayList<>();
        for (String text : texts) {
          questions.add(question(text, "text " + (questions.size() + 1)));
        }
        answer(questions, sink);
      } else {
        stream(sink);
      }
    }

    private void file(Sink sink) {
      List<Question> waiting = new ArrayList<>();
      modelData.each(
          data,
          (row, fields) -> {
            waiting.add(new Question(row, fields));
            if (waiting.size() == CHUNK) {
              answer(waiting, sink);
              waiting.clear();
            }
          });
      answer(waiting, sink);
    }

    private void stream(Sink sink) {
      LineStream lines = new LineStream(System.in, "standard input");
      long number = 0;
      for (List<String> some = lines.next(CHUNK); !some.isEmpty(); some = lines.next(CHUNK)) {
        List<Question> questions = new ArrayList<>();
        for (String line : some) {
          number++;
          questions.add(question(line, "standard input:" + number));
        }
        answer(questions, sink);
      }
      if (number == 0) {
        throw new LoraGraphException(
            "no text to label: give it as an argument, with --data, or on standard input");
      }
    }

    private Question question(String text, String place) {
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
      Map<String, JsonNode> fields = new LinkedHashMap<>();
      for (int i = 0; i < parts.length; i++) {
        fields.put(i == 0 ? "text" : "text_pair", PredictionFields.text(parts[i]));
      }
      return new Question(
          new Row(
              parts[0].strip(), parts.length < 2 ? null : parts[1].strip(), null, Map.of(), place),
          fields);
    }

    private void answer(List<Question> questions, Sink sink) {
      if (questions.isEmpty()) {
        return;
      }
      List<Row> rows = questions.stream().map(Question::row).toList();
      saidOtherTexts = saidOtherTexts || trained.sayOtherTexts(rows, output);
      List<Example> examples = modelData.unlabelled(rows, cuts);
      float[][] logits = predictor.logits(examples);
      try {
        for (int i = 0; i < logits.length; i++) {
          Question question = questions.get(i);
          Prediction answer =
              modelData
                  .task()
                  .prediction(
                      logits[i],
                      modelData.labels().names(),
                      examples.get(i).length(),
                      question.row().place());
          sink.take(
              question,
              answer,
              answer.tokens().isEmpty() ? List.of() : modelData.tokens(examples.get(i)));
        }
        sink.flush();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Lines for people and for pipes. */
  private final class Printer implements Sink {
    private final PredictionLines lines = new PredictionLines(spec.commandLine().getOut());

    @Override
    public void take(Question question, Prediction answer, List<String> tokens) {
      lines.print(question.row(), answer, tokens);
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

  private static Map<String, Object> object(
      Question question, Prediction answer, List<String> tokens) {
    Map<String, Object> entry = new LinkedHashMap<>();
    Row row = question.row();
    if (row.isText()) {
      entry.put("text", row.text());
    }
    if (row.textPair() != null) {
      entry.put("textPair", row.textPair());
    }
    entry.putAll(answer.json(tokens));
    return entry;
  }
}
