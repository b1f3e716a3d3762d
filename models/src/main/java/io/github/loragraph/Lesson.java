package io.github.loragraph;

import io.github.loragraph.data.Example;
import io.github.loragraph.evaluation.Measurement;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.trainer.TrainingJob;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What a training teaches: its data as the model takes it, the loss, and what is measured. */
interface Lesson {
  /** The number of examples, as known before any session is open. */
  int size();

  /**
   * A job with data, loss and measurement; what else it is to be is not set yet.
   *
   * @param sessions of the runtime that trains
   */
  TrainingJob.Builder job(Sessions sessions);

  /**
   * Of the values that were chosen to be trained those that the job trains.
   *
   * @throws io.github.loragraph.error.LoraGraphException if there are none
   */
  default Set<String> trained(Set<String> chosen) {
    return chosen;
  }

  /**
   * What the job made, with what is still to be done after its last step.
   *
   * @param sessions of the runtime that trains
   * @param listeners hear of it, and are asked whether to stop
   * @throws io.github.loragraph.trainer.TrainingStopped if one wants to
   */
  default TrainingJob.Result completed(
      TrainingJob.Result result,
      Sessions sessions,
      List<io.github.loragraph.trainer.TrainingListener> listeners) {
    return result;
  }

  /** What the job made, with what it says of itself. */
  default OnnxModel noted(OnnxModel trained) {
    return trained;
  }

  /** Which thresholds of its classes {@link #completed} has found; empty for those of a half. */
  default Map<String, Double> thresholds() {
    return Map.of();
  }

  /** What measures the model as it is, to compare with; empty where nothing does. */
  Optional<Measurement> measurement();

  /** What is worth saying before the first step, a line each. */
  List<String> remarks();

  /** How the run's data was read, for who comes next. */
  RunDefaults defaults(Dataset training, ModelData data);

  /**
   * Keeps what is answered wrongly in an evaluation; empty where labels are not answered, or there
   * is no held-out data.
   */
  default Optional<WorstMistakes> worst() {
    return Optional.empty();
  }

  /** Whether an example that is trained on is one text, and not a pair or a group of texts. */
  default boolean isOfSingleTexts() {
    return true;
  }

  /** The texts that are trained on, whose lengths are of interest. */
  List<Example> texts();

  /** The same of the held-out data; empty where there are none. */
  List<Example> textsEval();

  /** The number of held-out examples, each of one text or more; 0 where there are none. */
  default int sizeEval() {
    return textsEval().size();
  }

  /** How many texts of the training data were cut. */
  int truncated();

  /** The same of the held-out data. */
  int truncatedEval();
}
