package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import org.jspecify.annotations.Nullable;

/** The declaration of a graph input, a graph output or an inner value: a name and a type. */
public final class ValueInfo {
  private final ValueInfoProto proto;

  ValueInfo(ValueInfoProto proto) {
    this.proto = proto;
  }

  public static ValueInfo of(String name, TensorType type) {
    return new ValueInfo(ValueInfoProto.newBuilder().setName(name).setType(type.toProto()).build());
  }

  /** A declaration that leaves the type to shape inference. */
  public static ValueInfo untyped(String name) {
    return new ValueInfo(ValueInfoProto.newBuilder().setName(name).build());
  }

  /** A sequence of tensors of one type. */
  public static ValueInfo sequenceOf(String name, ElementType elementType) {
    TypeProto element =
        TypeProto.newBuilder()
            .setTensorType(TypeProto.Tensor.newBuilder().setElemType(elementType.code()))
            .build();
    return new ValueInfo(
        ValueInfoProto.newBuilder()
            .setName(name)
            .setType(
                TypeProto.newBuilder()
                    .setSequenceType(TypeProto.Sequence.newBuilder().setElemType(element)))
            .build());
  }

  public String name() {
    return proto.getName();
  }

  /** The type, or null where the value is no tensor (a sequence, say). */
  public @Nullable TensorType type() {
    return TensorType.of(proto.getType());
  }

  /**
   * The type of a value that is a tensor.
   *
   * @throws IllegalStateException if it is none
   */
  public TensorType requireType() {
    TensorType type = type();
    if (type == null) {
      throw new IllegalStateException("'%s' is no tensor".formatted(name()));
    }
    return type;
  }

  ValueInfoProto proto() {
    return proto;
  }

  @Override
  public String toString() {
    return name() + " " + type();
  }
}
