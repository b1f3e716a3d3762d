package io.github.loragraph.ort;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.onnx.ElementType;
import java.nio.FloatBuffer;

/** Reads tensors of ONNX Runtime. */
public final class OrtTensors {
  private OrtTensors() {}

  /** An output of one FLOAT element. */
  public static double scalar(OrtSession.Result outputs, String name) {
    OnnxTensor tensor = (OnnxTensor) outputs.get(name).orElseThrow();
    return tensor.getFloatBuffer().get(0);
  }

  /** A FLOAT output, copied row by row: all further axes are one. */
  public static float[][] rows(OnnxTensor tensor) {
    int count = (int) tensor.getInfo().getShape()[0];
    FloatBuffer values = tensor.getFloatBuffer();
    float[][] rows = new float[count][count == 0 ? 0 : values.remaining() / count];
    for (float[] row : rows) {
      values.get(row);
    }
    return rows;
  }

  /** What the Java API calls a type. */
  static OnnxJavaType javaType(ElementType type) {
    return switch (type) {
      case FLOAT -> OnnxJavaType.FLOAT;
      case DOUBLE -> OnnxJavaType.DOUBLE;
      case INT32 -> OnnxJavaType.INT32;
      case INT64 -> OnnxJavaType.INT64;
      case BOOL -> OnnxJavaType.BOOL;
      case INT8 -> OnnxJavaType.INT8;
      case INT16 -> OnnxJavaType.INT16;
      case UINT8 -> OnnxJavaType.UINT8;
      case FLOAT16 -> OnnxJavaType.FLOAT16;
      case BFLOAT16 -> OnnxJavaType.BFLOAT16;
      default -> throw new IllegalArgumentException("no tensor of type " + type);
    };
  }
}
