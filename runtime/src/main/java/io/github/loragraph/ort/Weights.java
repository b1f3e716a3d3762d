package io.github.loragraph.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The frozen weights of a model that are handed to ONNX Runtime in memory, since it does not read
 * them in their files by itself: all sessions over the same model read the same memory, which is
 * the model file's memory map where its alignment allows, else a copy that all weights of this
 * process with the same bytes have together ({@link WeightCopies}). Sessions must be closed before
 * their weights, and who makes either closes it; what others still use stays open.
 */
public final class Weights implements AutoCloseable {
  /** Smaller tensors travel inside the model: they may be shapes, which optimizers want to read. */
  private static final long SMALLEST_BYTES = 4096;

  private static final Set<ElementType> TYPES =
      Set.of(ElementType.FLOAT, ElementType.FLOAT16, ElementType.BFLOAT16, ElementType.INT8);

  private final Map<Tensor, OnnxTensor> tensors = new HashMap<>();
  private final Map<Tensor, WeightCopies.Copy> copies = new HashMap<>();

  /** Whether a tensor is handed over in memory. */
  static boolean isWeight(Tensor tensor) {
    return TYPES.contains(tensor.elementType()) && tensor.bytes().remaining() >= SMALLEST_BYTES;
  }

  /** Those of the tensors that are handed over, by name. */
  synchronized Map<String, OnnxTensorLike> of(OrtRuntime runtime, Collection<Tensor> initializers)
      throws OrtException {
    Map<String, OnnxTensorLike> result = new HashMap<>();
    for (Tensor tensor : initializers) {
      if (isWeight(tensor)) {
        result.put(tensor.name(), weight(runtime, tensor));
      }
    }
    return result;
  }

  private OnnxTensor weight(OrtRuntime runtime, Tensor tensor) throws OrtException {
    WeightCopies.Copy copy = copies.get(tensor);
    OnnxTensor weight = copy == null ? tensors.get(tensor) : copy.tensor();
    if (weight != null) {
      return weight;
    }
    if (WeightCopies.isNeeded(tensor)) {
      copy = WeightCopies.lease(runtime, tensor);
      copies.put(tensor, copy);
      return copy.tensor();
    }
    weight = runtime.tensor(tensor);
    tensors.put(tensor, weight);
    return weight;
  }

  @Override
  public synchronized void close() {
    tensors.values().forEach(OnnxTensor::close);
    tensors.clear();
    copies.values().forEach(WeightCopies::release);
    copies.clear();
  }
}
