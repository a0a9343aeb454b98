"""Operations by name."""

from rest_framework import serializers

from portal.api.serializers.base import Output


class PackageSerializer(Output):
    """The package that brings an operation."""

    distribution = serializers.CharField()
    version = serializers.CharField()
    digest = serializers.CharField(allow_blank=True, help_text="SHA-256 of its files")


class OperationSerializer(Output):
    """One operation."""

    name = serializers.CharField(help_text="what a blueprint says")
    version = serializers.IntegerField(allow_null=True)
    summary = serializers.CharField(allow_blank=True)
    package = PackageSerializer(allow_null=True, help_text="null of Baton's own")
    error = serializers.CharField(allow_blank=True, help_text="why it cannot be used; else empty")


class OperationsSerializer(Output):
    """All operations that the web process knows; a worker may have others installed."""

    operations = OperationSerializer(many=True)
