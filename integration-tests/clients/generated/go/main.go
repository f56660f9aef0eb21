// Uses the client that oapi-codegen makes of the admin API's document, against a server.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"generated/admin"
)

var passed int

func check(name string, holds bool, saw any) {
	if !holds {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, saw)
		os.Exit(1)
	}
	passed++
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	ctx := context.Background()
	sign := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Getenv("COFRE_ADMIN_TOKEN"))
		return nil
	}
	client := must(admin.NewClientWithResponses(os.Getenv("COFRE_ADMIN_URL"), admin.WithRequestEditorFn(sign)))

	shards := must(client.ListShardsWithResponse(ctx, nil))
	check("shards", shards.JSON200 != nil && len(shards.JSON200.Items) == 1, string(shards.Body))
	shard := shards.JSON200.Items[0]
	check("kind of a place", must(shard.Place.Discriminator()) == "filesystem", shard)
	check("path of a place", must(shard.Place.AsShardPlaceFilesystem()).Path != "", shard)

	account := must(client.CreateAccountWithResponse(ctx, admin.CreateAccount{DisplayName: "gopher"}))
	check("account", account.JSON201 != nil && account.JSON201.SecretAccessKey != "", string(account.Body))
	bucket := must(client.CreateBucketWithResponse(ctx, admin.CreateBucket{Name: "of-a-gopher", Owner: "gopher"}))
	check("bucket", bucket.JSON201 != nil && bucket.JSON201.Owner == account.JSON201.Id, string(bucket.Body))
	bound := int64(1 << 30)
	quota := must(client.SetBucketQuotaWithResponse(ctx, "of-a-gopher", admin.Quota{BytesMax: &bound}))
	check("quota", quota.JSON200 != nil && *quota.JSON200.Quota.BytesMax == bound, string(quota.Body))
	settings := must(client.GetSettingsWithResponse(ctx))
	check("settings", settings.JSON200 != nil && settings.JSON200.Document.Quotas.GraceMultiple == 3, string(settings.Body))
	health := must(client.HealthWithResponse(ctx))
	check("health", health.JSON200 != nil && health.JSON200.Status.Valid(), string(health.Body))
	gone := must(client.DeleteBucketWithResponse(ctx, "of-a-gopher"))
	check("deletion", gone.StatusCode() == http.StatusNoContent, string(gone.Body))
	absent := must(client.GetBucketWithResponse(ctx, "of-a-gopher"))
	check("problem", absent.ApplicationproblemJSON404 != nil && absent.ApplicationproblemJSON404.Status == 404, string(absent.Body))
	fmt.Printf("%d checks passed\n", passed)
}
