package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The type of a tensor value.
 *
 * @param shape null where not even the rank is known
 */
public record TensorType(ElementType elementType, @Nullable Shape shape) {

  public static TensorType of(ElementType elementType, long... sizes) {
    return new TensorType(elementType, Shape.of(sizes));
  }

  public boolean isFloatingPoint() {
    return elementType.isFloatingPoint();
  }

  /**
   * The shape of a tensor whose rank is known.
   *
   * @throws IllegalStateException if it is not
   */
  public Shape requireShape() {
    if (shape == null) {
      throw new IllegalStateException("the rank of a tensor of " + elementType + " is not known");
    }
    return shape;
  }

  /** The type that a {@code TypeProto} states; null where it is not of a tensor. */
  static @Nullable TensorType of(TypeProto proto) {
    if (!proto.hasTensorType()) {
      return null;
    }
    TypeProto.Tensor tensor = proto.getTensorType();
    ElementType elementType = ElementType.of(tensor.getElemType());
    if (!tensor.hasShape()) {
      return new TensorType(elementType, null);
    }
    List<Shape.Dimension> dimensions = new ArrayList<>();
    for (TensorShapeProto.Dimension d : tensor.getShape().getDimList()) {
      dimensions.add(
          switch (d.getValueCase()) {
            case DIM_VALUE ->
                d.getDimValue() < 0
                    ? Shape.Dimension.unknown()
                    : Shape.Dimension.of(d.getDimValue());
            case DIM_PARAM ->
                d.getDimParam().isEmpty()
                    ? Shape.Dimension.unknown()
                    : Shape.Dimension.named(d.getDimParam());
            case VALUE_NOT_SET -> Shape.Dimension.unknown();
          });
    }
    return new TensorType(elementType, new Shape(dimensions));
  }

  TypeProto toProto() {
    TypeProto.Tensor.Builder tensor = TypeProto.Tensor.newBuilder().setElemType(elementType.code());
    if (shape != null) {
      TensorShapeProto.Builder dimensions = TensorShapeProto.newBuilder();
      for (Shape.Dimension d : shape.dimensions()) {
        TensorShapeProto.Dimension.Builder dimension = dimensions.addDimBuilder();
        if (d.isKnown()) {
          dimension.setDimValue(d.size());
        } else if (d.symbol() != null) {
          dimension.setDimParam(d.symbol());
        }
      }
      tensor.setShape(dimensions);
    }
    return TypeProto.newBuilder().setTensorType(tensor).build();
  }
}
