package io.github.loragraph.trainer;

import io.github.loragraph.onnx.Tensor;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where the parameters of a run's best evaluation are kept until it ends. */
public interface BestParameters {
  /**
   * Keeps the parameters of a step. Those of earlier ones may be asked for until a checkpoint names
   * this one.
   *
   * @param parameters all that are trained; not changed afterwards
   * @throws io.github.loragraph.error.LoraGraphException if they cannot be written
   */
  void keep(long step, Map<String, Tensor> parameters);

  /**
   * The parameters of a step that was kept, by name.
   *
   * @throws io.github.loragraph.error.LoraGraphException if they are not there any more
   */
  Map<String, Tensor> of(long step);

  /** In memory: those of the last step that was kept. */
  static BestParameters inMemory() {
    return new BestParameters() {
      private @Nullable Map<String, Tensor> kept;

      @Override
      public void keep(long step, Map<String, Tensor> parameters) {
        kept = parameters;
      }

      @Override
      public Map<String, Tensor> of(long step) {
        if (kept == null) {
          throw new IllegalStateException("nothing was kept");
        }
        return kept;
      }
    };
  }

  /** As a checkpoint has them. */
  static List<Tensor> inOrder(Map<String, Tensor> parameters) {
    return List.copyOf(parameters.values());
  }
}
