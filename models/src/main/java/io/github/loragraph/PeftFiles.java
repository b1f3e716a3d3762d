package io.github.loragraph;

import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftExport;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.training.Logits;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What PEFT wants to know of a model, found out of its files. */
final class PeftFiles {
  /**
   * {@code base_model_prefix} of transformers' classes, by {@code model_type}: what the paths of
   * the encoder have in front in every class with a head.
   */
  private static final Map<String, String> BASE_PREFIXES =
      Map.ofEntries(
          Map.entry("albert", "albert"),
          Map.entry("bert", "bert"),
          Map.entry("camembert", "roberta"),
          Map.entry("convbert", "convbert"),
          Map.entry("deberta", "deberta"),
          Map.entry("deberta-v2", "deberta"),
          Map.entry("distilbert", "distilbert"),
          Map.entry("electra", "electra"),
          Map.entry("gemma", "model"),
          Map.entry("gpt2", "transformer"),
          Map.entry("llama", "model"),
          Map.entry("mistral", "model"),
          Map.entry("modernbert", "model"),
          Map.entry("mpnet", "mpnet"),
          Map.entry("phi3", "model"),
          Map.entry("qwen2", "model"),
          Map.entry("qwen3", "model"),
          Map.entry("roberta", "roberta"),
          Map.entry("vit", "vit"),
          Map.entry("xlm-roberta", "roberta"));

  /** PEFT's words for tasks; PEFT has none for the others. */
  private static final Map<io.github.loragraph.task.Task, String> TASK_TYPES =
      Map.of(
          Tasks.CLASSIFICATION, "SEQ_CLS",
          Tasks.MULTILABEL, "SEQ_CLS",
          Tasks.REGRESSION, "SEQ_CLS",
          Tasks.MULTIOUTPUT_REGRESSION, "SEQ_CLS",
          Tasks.RERANK, "SEQ_CLS",
          Tasks.TOKEN_CLASSIFICATION, "TOKEN_CLS",
          Tasks.EMBEDDING, "FEATURE_EXTRACTION");

  private PeftFiles() {}

  /** The adapter of a model, with all that is known of it. */
  static PeftAdapter of(Model model, PeftExportConfig config, Consumer<String> notes) {
    String taskType = config.taskType().orElseGet(() -> taskType(model));
    String prefix = config.prefix().orElseGet(() -> prefix(model, taskType, notes));
    return LoraGraphException.in(
        model.shown(),
        () ->
            PeftExport.of(
                model.graph(),
                new PeftExport.About(config.baseModel().orElse(null), taskType, prefix)));
  }

  /** The same of what a training for a task makes of a model. */
  static PeftExport.About about(Model model, io.github.loragraph.task.Task task) {
    if (!model.hasAdapters()) {
      return PeftExport.About.NOTHING;
    }
    String taskType = TASK_TYPES.get(task);
    return new PeftExport.About(null, taskType, prefix(model, taskType, note -> {}));
  }

  private static @Nullable String taskType(Model model) {
    try {
      RunDefaults run = model.defaults(line -> {});
      Answer answer =
          Answer.of(
              model.graph(), run.task(), model.files().config().problemType(), Logits.DECLARED);
      // The logits of a language model look like those of many classes for each token.
      return LoraMetadata.require(model.graph()).head().isEmpty()
          ? null
          : TASK_TYPES.get(answer.task());
    } catch (LoraGraphException e) {
      return model.trainedTask().map(task -> TASK_TYPES.get(task.internal())).orElse(null);
    }
  }

  /**
   * An encoder that was exported alone, and got its head here, has the paths of the encoder alone;
   * in PyTorch's class with a head they have its name in front.
   */
  private static @Nullable String prefix(
      Model model, @Nullable String taskType, Consumer<String> notes) {
    Optional<String> type = model.files().config().modelType();
    String prefix = type.map(BASE_PREFIXES::get).orElse(null);
    LoraMetadata metadata = LoraMetadata.require(model.graph());
    boolean alone =
        metadata.targets().stream()
            .noneMatch(t -> prefix == null || t.path().contains(prefix + "."));
    if (prefix == null
        || !alone
        || taskType == null
        || taskType.equals("FEATURE_EXTRACTION")
        || model.graph().metadata().containsKey(LoraMetadata.PEFT_KEY)) {
      return null;
    }
    notes.accept(
        "the module paths get '%s.' in front, as transformers' classes of '%s' with a head have it"
            .formatted(prefix, type.orElseThrow()));
    return prefix;
  }
}
