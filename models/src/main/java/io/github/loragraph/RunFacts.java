package io.github.loragraph;

import io.github.loragraph.error.PlainText;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.task.ClassFigures;
import io.github.loragraph.task.Report;
import io.github.loragraph.trainer.ThisProcess;
import io.github.loragraph.trainer.TrainingJob;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a run folder's record says of a training, as JSON has it. */
final class RunFacts {
  /** Classes whose confusion is kept whole: a page has no room for more. */
  private static final int MOST_CLASSES = 100;

  /** Pairs of classes that are kept where there are more. */
  private static final int MOST_CONFUSED = 100;

  /** Characters of a text that is kept: the rest is in the data. */
  private static final int LONGEST_TEXT = 500;

  private RunFacts() {}

  /** What is known before the first step. */
  static Map<String, Object> of(TrainingJob job, DataFacts data, Comparison comparison) {
    Map<String, Object> facts = new LinkedHashMap<>();
    Map<String, Object> machine = ThisProcess.machine();
    machine.put("device", job.sessions().device().toString());
    machine.put("onnxRuntime", job.sessions().runtime().version());
    facts.put("machine", machine);
    facts.put("parameters", parameters(job.model(), job.trainable()));
    LoraMetadata.of(job.model()).ifPresent(m -> facts.put("adapters", adapters(m)));
    facts.put("data", data);
    comparison
        .base()
        .ifPresent(
            base -> {
              Map<String, @Nullable Double> figures = new LinkedHashMap<>(base.metrics());
              figures.replaceAll((name, figure) -> Report.finite(figure));
              facts.put("base", figures);
            });
    return facts;
  }

  private static Map<String, Object> adapters(LoraMetadata metadata) {
    Map<String, Object> adapters = new LinkedHashMap<>();
    adapters.put("match", metadata.match());
    adapters.put("rank", distinct(metadata, target -> target.rank()));
    adapters.put("alpha", distinct(metadata, target -> target.alpha()));
    adapters.put("adaptedLayers", metadata.targets().size());
    if (metadata.variant().useDora()) {
      adapters.put("dora", true);
    }
    if (metadata.variant().useRslora()) {
      adapters.put("rslora", true);
    }
    return adapters;
  }

  private static String distinct(LoraMetadata metadata, Function<LoraMetadata.Target, Number> of) {
    return metadata.targets().stream()
        .map(of)
        .distinct()
        .map(number -> number.toString().replaceAll("\\.0$", ""))
        .collect(Collectors.joining(", "));
  }

  private static Map<String, Object> parameters(OnnxModel model, Set<String> trained) {
    long trainable = 0;
    long total = 0;
    List<Map<String, Object>> tensors = new ArrayList<>();
    for (Parameter parameter : Parameters.of(model)) {
      total += parameter.count();
      if (trained.contains(parameter.value())) {
        trainable += parameter.count();
        Map<String, Object> tensor = new LinkedHashMap<>();
        tensor.put("name", parameter.name());
        tensor.put("shape", parameter.dims());
        tensor.put("count", parameter.count());
        tensors.add(tensor);
      }
    }
    Map<String, Object> parameters = new LinkedHashMap<>();
    parameters.put("trainable", trainable);
    parameters.put("total", total);
    parameters.put("tensors", tensors);
    return parameters;
  }

  /**
   * What there is of an evaluation beside its figures.
   *
   * @param names of the logits
   * @param worst what was answered wrongly in it; null where nobody knows
   * @param texts whether texts of the data may be in it
   */
  static Map<String, Object> of(
      Report report, List<String> names, @Nullable WorstMistakes worst, boolean texts) {
    Map<String, Object> entries = new LinkedHashMap<>();
    entries.put("score", report.scoreName());
    if (worst != null && worst.count() > 0) {
      entries.put("mistakeCount", worst.count());
      entries.put("mistakes", worst.list().stream().map(m -> mistake(m, texts)).toList());
    }
    List<ClassFigures> classes = report.classes();
    if (classes.size() != names.size()) {
      return entries;
    }
    if (!classes.isEmpty() && classes.size() <= MOST_CLASSES) {
      List<Map<String, @Nullable Object>> figures = new ArrayList<>();
      for (int i = 0; i < classes.size(); i++) {
        Map<String, @Nullable Object> figure = new LinkedHashMap<>();
        figure.put("name", names.get(i));
        figure.put("precision", Report.finite(classes.get(i).precision()));
        figure.put("recall", Report.finite(classes.get(i).recall()));
        figure.put("f1", Report.finite(classes.get(i).f1()));
        figure.put("support", classes.get(i).support());
        figures.add(figure);
      }
      entries.put("classes", figures);
    }
    if (report.details(names).get("confusion") instanceof long[][] confusion) {
      if (confusion.length <= MOST_CLASSES) {
        entries.put("confusion", confusion);
      } else {
        entries.put("confused", confused(confusion, names));
      }
    }
    return entries;
  }

  private static Map<String, @Nullable Object> mistake(Mistake mistake, boolean texts) {
    Map<String, @Nullable Object> entry = new LinkedHashMap<>();
    entry.put("loss", Report.finite(mistake.loss()));
    entry.put("label", PlainText.shortened(mistake.label(), LONGEST_TEXT));
    entry.put("answer", PlainText.shortened(mistake.answer(), LONGEST_TEXT));
    entry.put("place", mistake.place());
    if (texts) {
      putText(entry, "text", mistake.text());
      putText(entry, "before", mistake.before());
      putText(entry, "after", mistake.after());
      putText(entry, "textPair", mistake.textPair());
    }
    return entry;
  }

  private static void putText(
      Map<String, @Nullable Object> entry, String name, Optional<String> text) {
    text.ifPresent(t -> entry.put(name, PlainText.shortened(t, LONGEST_TEXT)));
  }

  /** The pairs of classes that were taken for each other most often. */
  private static List<Map<String, Object>> confused(long[][] confusion, List<String> names) {
    record Pair(int label, int answer, long count) {}
    List<Pair> pairs = new ArrayList<>();
    for (int label = 0; label < confusion.length; label++) {
      for (int answer = 0; answer < confusion[label].length; answer++) {
        if (label != answer && confusion[label][answer] > 0) {
          pairs.add(new Pair(label, answer, confusion[label][answer]));
        }
      }
    }
    pairs.sort((one, other) -> Long.compare(other.count(), one.count()));
    List<Map<String, Object>> entries = new ArrayList<>();
    for (Pair pair : pairs.subList(0, Math.min(MOST_CONFUSED, pairs.size()))) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("label", names.get(pair.label()));
      entry.put("answer", names.get(pair.answer()));
      entry.put("count", pair.count());
      entries.add(entry);
    }
    return entries;
  }
}
