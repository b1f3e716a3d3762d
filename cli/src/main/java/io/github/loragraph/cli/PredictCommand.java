package io.github.loragraph.cli;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.data.Row;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.evaluation.Probabilities;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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
          + " the label, its probability and the text, separated by tabs.",
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
    try (ModelData data =
        new ModelData(folder, onnx, dataOptions.columns(), dataOptions.maxLength())) {
      var examples = data.unlabelled(rows);
      try (Predictor predictor = new Predictor(onnx, data.padId(), threads.count())) {
        print(given, predictor.logits(examples), data.labels().names());
      }
    }
    return 0;
  }

  private static List<String> lines() {
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      return in.lines().filter(line -> !line.isBlank()).toList();
    } catch (IOException e) {
      throw new LoraGraphException("cannot read standard input: " + e.getMessage(), e);
    }
  }

  private void print(List<String> given, float[][] logits, List<String> names) {
    List<Map<String, Object>> predictions = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < given.size(); i++) {
      double[] probabilities = Probabilities.softmax(logits[i]);
      int best = Probabilities.argMax(logits[i]);
      Map<String, Object> byLabel = new LinkedHashMap<>();
      for (int c = 0; c < names.size(); c++) {
        byLabel.put(names.get(c), probabilities[c]);
      }
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("text", given.get(i));
      entry.put("label", names.get(best));
      entry.put("probability", probabilities[best]);
      entry.put("probabilities", byLabel);
      predictions.add(entry);
      lines.add(
          String.format(
              Locale.ROOT,
              "%s\t%.4f\t%s",
              names.get(best),
              probabilities[best],
              given.get(i).replace('\t', ' ')));
    }
    output.print(Map.of("predictions", predictions), out -> lines.forEach(out::println));
  }
}
