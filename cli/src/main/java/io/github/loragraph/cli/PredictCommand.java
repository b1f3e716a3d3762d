package io.github.loragraph.cli;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.data.Columns;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.Row;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.evaluation.Probabilities;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code lora-graph predict}. */
@Command(
    name = "predict",
    header = "Labels texts.",
    description = {
      "",
      "Takes the texts from the arguments, or one from each line of standard input. Prints for each"
          + " the label, its probability and the text, separated by tabs; a regression's number and"
          + " the text; labels of half or more probability, separated by commas ('-' for none),"
          + " where there may be several; a line for each token, and an empty one after the text,"
          + " where tokens are labelled.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph predict run 'where is my parcel?'",
      "  lora-graph predict run < texts.txt | cut -f 1 | sort | uniq -c"
    },
    mixinStandardHelpOptions = true)
final class PredictCommand implements Callable<Integer> {
  @Mixin private ModelArgument model;
  @Mixin private DataOptions dataOptions;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions device;
  @Mixin private ResultOutput output;

  @Parameters(
      index = "1..*",
      paramLabel = "TEXT",
      description = "Texts to label (default: the lines of standard input).")
  private List<String> texts = new ArrayList<>();

  @Override
  public Integer call() {
    ModelFolder folder = model.folder();
    OnnxModel onnx = OnnxFile.read(folder.modelFile());
    List<String> given = texts.isEmpty() ? lines() : texts;
    if (given.isEmpty()) {
      throw new LoraGraphException("no text to label: give it as an argument or on standard input");
    }
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < given.size(); i++) {
      rows.add(new Row(given.get(i).strip(), null, null, Map.of(), "text " + (i + 1)));
    }
    try (ModelData data = dataOptions.open(folder, onnx, Columns.USUAL, output)) {
      ModelData.Cuts cuts = new ModelData.Cuts();
      List<Example> examples = data.unlabelled(rows, cuts);
      data.tell(cuts);
      try (Predictor predictor =
          new Predictor(onnx, data.padId(), device.sessions(threads, output))) {
        print(given, examples, predictor.logits(examples), data);
      }
    }
    return 0;
  }

  /** Every line, the empty ones too: what is printed stays beside what was read. */
  private static List<String> lines() {
    var decoder = StandardCharsets.UTF_8.newDecoder();
    List<String> lines = new ArrayList<>();
    try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, decoder))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        lines.add(line);
      }
      return lines;
    } catch (CharacterCodingException e) {
      throw new LoraGraphException(
          "standard input is not UTF-8 after line %d: convert it first".formatted(lines.size()), e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read standard input: " + e.getMessage(), e);
    }
  }

  private void print(List<String> given, List<Example> examples, float[][] logits, ModelData data) {
    List<Map<String, Object>> predictions = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    List<String> names = data.labels().names();
    for (int i = 0; i < given.size(); i++) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("text", given.get(i));
      String text = given.get(i).replace('\t', ' ');
      switch (data.task()) {
        case CLASSIFICATION -> lines.add(classified(entry, logits[i], names) + "\t" + text);
        case REGRESSION -> {
          entry.put("value", logits[i][0]);
          lines.add(String.format(Locale.ROOT, "%.4f\t%s", logits[i][0], text));
        }
        case MULTILABEL -> lines.add(labelled(entry, logits[i], names) + "\t" + text);
        case TOKEN_CLASSIFICATION -> {
          List<Map<String, Object>> tokens = new ArrayList<>();
          List<String> texts = data.tokens(examples.get(i));
          for (int t = 0; t < texts.size(); t++) {
            Map<String, Object> token = new LinkedHashMap<>();
            token.put("token", texts.get(t));
            float[] row = Arrays.copyOfRange(logits[i], t * names.size(), (t + 1) * names.size());
            lines.add(classified(token, row, names) + "\t" + texts.get(t));
            tokens.add(token);
          }
          lines.add("");
          entry.put("tokens", tokens);
        }
      }
      predictions.add(entry);
    }
    output.print(Map.of("predictions", predictions), out -> lines.forEach(out::println));
  }

  private static String classified(Map<String, Object> entry, float[] logits, List<String> names) {
    double[] probabilities = Probabilities.softmax(logits);
    int best = Probabilities.argMax(logits);
    entry.put("label", names.get(best));
    entry.put("probability", probabilities[best]);
    entry.put("probabilities", byLabel(probabilities, names));
    return String.format(Locale.ROOT, "%s\t%.4f", names.get(best), probabilities[best]);
  }

  private static String labelled(Map<String, Object> entry, float[] logits, List<String> names) {
    double[] probabilities = new double[logits.length];
    List<String> labels = new ArrayList<>();
    List<String> shown = new ArrayList<>();
    for (int c = 0; c < logits.length; c++) {
      probabilities[c] = Probabilities.sigmoid(logits[c]);
      if (probabilities[c] >= 0.5) {
        labels.add(names.get(c));
        shown.add(String.format(Locale.ROOT, "%.4f", probabilities[c]));
      }
    }
    entry.put("labels", labels);
    entry.put("probabilities", byLabel(probabilities, names));
    return labels.isEmpty() ? "-\t-" : String.join(",", labels) + "\t" + String.join(",", shown);
  }

  private static Map<String, Object> byLabel(double[] probabilities, List<String> names) {
    Map<String, Object> byLabel = new LinkedHashMap<>();
    for (int c = 0; c < names.size(); c++) {
      byLabel.put(names.get(c), probabilities[c]);
    }
    return byLabel;
  }
}
